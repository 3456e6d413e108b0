"""Definitions by their form."""

import pytest
from grounding.blocks import blocks
from nexus_serving.engines.definitions import defining_sentences, subject


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("What is a sync wave?", "sync wave"),
        ("What does refresh mean in Argo CD?", "refresh"),
        ("What does a refresh mean?", "refresh"),
        ("What are hooks?", "hooks"),
        ("Define chart", "chart"),
        ("How many are there?", None),
    ],
)
def test_the_subject_of_a_definition_is_found(question: str, thing: str | None):
    assert subject(question) == thing


@pytest.mark.parametrize(
    ("thing", "text", "sentence"),
    [
        ("chart", "Intro. A chart is a package. More.", "A chart is a package."),
        ("PVC", "A **PVC** (claim) represents a request.", "A **PVC** (claim) represents a request."),
        ("refresh", "* **Refresh** Compare the code with the state. Then more.",
         "**Refresh** Compare the code with the state."),
        ("hook", "- `hook`: runs before the sync", "`hook`: runs before the sync"),
        ("sync wave", "In Argo CD, sync waves are steps in an order.", "In Argo CD, sync waves are steps in an order."),
    ],
)  # fmt: skip
def test_the_defining_sentence_is_found(thing: str, text: str, sentence: str):
    found = [text[start:end] for start, end in defining_sentences(thing, text, blocks(text))]
    assert sentence in found


def test_a_sentence_that_only_mentions_the_thing_does_not_define_it():
    text = "You may install a chart. The chart above failed."
    assert list(defining_sentences("chart", text, blocks(text))) == []
