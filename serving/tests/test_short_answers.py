"""From a span of tokens, marked by «», to a short answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nexus_serving.engines.short_answers import complete, fits


def completed(marked: str) -> str:
    start = marked.index("«")
    end = marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    first, last = complete(text, start, end, 0, len(text))
    return text[first:last]


@pytest.mark.parametrize(
    ("marked", "answer"),
    [
        ("takes «120 seconds» plus", "120 seconds"),
        ("dropped with «v1.»8.0.", "v1.8.0"),
        ("start with `«argocd»-`.", "argocd-"),
        ("about **«2 minutes»** before", "2 minutes"),
        ("use «*» the flag»"[:-1], "*"),
        ('pass it through `«printf» "%T"` in', 'printf "%T"'),
        ('is `["«missingkey=error»"]`, which', '["missingkey=error"]'),
        ("limited to «53» characters.", "53 characters"),
        ("smaller than «1»M because", "1M"),
        ("the «262»KB limit", "262KB"),
        ("(default: «30»)", "30"),
        ("every «5» minutes (or so)", "5 minutes"),
        ("«the group (which is set» by you) wins", "the group (which is set by you)"),
        ("«alpha) and» beta", "alpha"),
        ("the value «, true.» then", "true"),
        ("the file «.helm»ignore is", ".helmignore"),
        ("run «--server»-side now", "--server-side"),
        ("called `a long piece of code with many words «name» and more of them`", "name"),
        ("«mail@example».com is", "mail@example.com"),
        ("«in»-cluster cannot", "in-cluster"),
        ("port «8080»: open", "8080"),
        ("a «100%» share", "100%"),
    ],
)
def test_a_span_becomes_whole_words_without_stray_marks(marked: str, answer: str):
    assert completed(marked) == answer


def test_an_answer_does_not_grow_beyond_its_bounds():
    text = "one two-three four"
    assert complete(text, 4, 7, 4, 7) == (4, 7)


def test_long_answers_are_sentences_and_not_short_answers():
    assert fits("three short words")
    assert not fits("word " * 30)


@given(st.text(alphabet="ab1 .,`()[]{}<>*_-|\n%", min_size=1, max_size=40), st.data())
def test_any_span_stays_within_its_bounds_and_is_not_lost(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    first, last = complete(text, start, end, 0, len(text))
    assert 0 <= first <= last <= len(text)
