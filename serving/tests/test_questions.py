"""What questions ask for."""

import pytest
from nexus_serving.engines.questions import Expected, Form, expected, form, looks_as_expected, names


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How do I install the CLI?", Form.HOW_TO),
        ("how to roll back a release", Form.HOW_TO),
        ("In a template, how can I print a type?", Form.HOW_TO),
        ("What are the steps to add a cluster?", Form.HOW_TO),
        ("Show me an example of a list generator", Form.HOW_TO),
        ("What is the recommended way to sign a chart?", Form.HOW_TO),
        ("What is a sync wave?", Form.DEFINITION),
        ("What does refresh mean in Argo CD?", Form.DEFINITION),
        ("What is an ApplicationSet", Form.DEFINITION),
        ("Does Argo CD support Helm hooks?", Form.YES_NO),
        ("Is it possible to disable it?", Form.YES_NO),
        ("What are the phases of a sync operation?", Form.LISTING),
        ("Which fields are ignored?", Form.LISTING),
        ("List the supported formats", Form.LISTING),
        ("What kinds of generators are there?", Form.LISTING),
        ("Which command rolls back a release?", Form.LOOKUP),
        ("Why is my application OutOfSync?", Form.EXPLANATION),
        ("What is the difference between apply and hook?", Form.EXPLANATION),
        ("What is the default port?", Form.LOOKUP),
        ("What is the refund period?", Form.LOOKUP),
        ("What is warranty on batteries?", Form.LOOKUP),
        ("What is the greatest length of a chart's name?", Form.LOOKUP),
        ("How many groups fit in a token?", Form.LOOKUP),
        ("How long does a token stay valid?", Form.LOOKUP),
        ("Which annotation chooses the view?", Form.LOOKUP),
        ("Who maintains it?", Form.LOOKUP),
    ],
)
def test_the_form_of_an_answer_follows_from_the_question(question: str, wanted: Form):
    assert form(question) is wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many seconds does it wait?", Expected.NUMBER),
        ("Which port does it listen on?", Expected.NUMBER),
        ("In which version was it removed?", Expected.VERSION),
        ("Which annotation turns a pod into a test?", Expected.IDENTIFIER),
        ("Who wrote it?", None),
    ],
)
def test_a_question_may_say_what_its_answer_looks_like(question: str, wanted: Expected | None):
    assert expected(question) is wanted


@pytest.mark.parametrize(
    ("answer", "wanted", "fits"),
    [
        ("120 seconds", Expected.NUMBER, True),
        ("two", Expected.NUMBER, True),
        ("Argo CD", Expected.NUMBER, False),
        ("v2.8", Expected.VERSION, True),
        ("Dex", Expected.VERSION, False),
        ("helm.sh/hook: test", Expected.IDENTIFIER, True),
        ("SOURCE_DATE_EPOCH", Expected.IDENTIFIER, True),
        ("--set", Expected.IDENTIFIER, True),
        ("the previous one", Expected.IDENTIFIER, False),
    ],
)
def test_an_answer_has_or_lacks_the_look(answer: str, wanted: Expected, fits: bool):
    assert looks_as_expected(answer, wanted) is fits


def test_names_are_capitals_inside_a_question_and_numbers():
    assert names("Which Dex comes with Argo CD 3.4?") == {"dex", "argo", "cd", "3.4"}
    assert names("What is it?") == frozenset()
