"""Which words are a team's own: tokens that its questions and passages use again and again, and general text hardly
does. Learning the vectors of these alone changes little about any other text, where they do not occur. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence


def own_tokens(
    texts: Iterable[Sequence[int]],
    general: Iterable[Sequence[int]],
    words: Mapping[int, str],
    *,
    fewest: int = 3,
    most_general: int = 1,
) -> list[int]:
    """The ids, in order. `texts` and `general` are token ids, text by text; `words` is the vocabulary. A token of their
    own is in at least `fewest` of the one and in at most `most_general` of the other. Numbers are nobody's own."""
    ours, theirs = _texts_with(texts), _texts_with(general)
    return sorted(
        token
        for token, count in ours.items()
        if count >= fewest and theirs[token] <= most_general and not any(map(str.isdigit, words[token]))
    )


def _texts_with(texts: Iterable[Sequence[int]]) -> Counter[int]:
    return Counter(token for text in texts for token in set(text))
