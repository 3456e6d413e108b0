"""Questions drawn by rules from the documents that users asked about, to learn how these speak. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random

from trainer.base.made_questions import passages, questions
from trainer.base.rows import Document, Row
from trainer.improvement.examples import Example, Shown
from trainer.improvement.preparing import bare

FROM_A_DOCUMENT = 6
"""Questions at most."""
SEED = 11


def drawn(shown: Iterable[Example], held_out: Sequence[Example], most: int) -> list[Example]:
    """At most `most` examples from the passages of `shown`, always the same. None gives away what is held out: neither
    its question nor its answer about the same document."""
    random = Random(SEED)
    asked = {bare(one.question) for one in held_out}
    facts = {(one.document, bare(one.answer)) for one in held_out if one.answer}
    made: list[Example] = []
    for document in _in_random_order(shown, random):
        cut = passages(document, random)
        rows = [row for passage in cut for row in questions(document, passage, random, most=2)]
        kept = [row for row in rows if bare(row.question) not in asked and (row.source, bare(row.answer)) not in facts]
        made += [_example(row) for row in random.sample(kept, min(FROM_A_DOCUMENT, len(kept)))]
        if len(made) >= most:
            break
    return made[:most]


def _in_random_order(shown: Iterable[Example], random: Random) -> list[Document]:
    """The documents as far as they were shown."""
    texts: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for example in shown:
        for passage in example.passages:
            texts[passage.document, passage.title][passage.text] = None
    documents = [Document(name, title, "\n\n".join(parts)) for (name, title), parts in sorted(texts.items())]
    return random.sample(documents, len(documents))


def _example(row: Row) -> Example:
    passage = Shown(row.source, row.title, "", row.passage)
    return Example(f"drawn {bare(row.question)}", row.question, (passage,), 0, row.start, row.end, "document")
