"""What supports a sentence."""

import pytest
from grounding.evidence import Evidence, support

GUIDE = Evidence(
    3,
    "Argo CD polls Git every 3 minutes. The interval is set by timeout.reconciliation in argocd-cm.\n\n"
    "| Option | Default |\n|---|---|\n| `--retries` | 5 |\n| `--delay` | 10s |\n\n"
    "```sh\nargocd app sync guestbook\n```\n",
    "Argo CD FAQ",
)


def quoted(sentence: str, question: str = "How does it work?") -> str | None:
    found = support(sentence, question, [GUIDE])
    return None if found is None else GUIDE.text[found.start : found.end]


def test_the_smallest_unit_that_says_it_is_quoted():
    assert quoted("It polls Git every 3 minutes.") == "Argo CD polls Git every 3 minutes."


def test_a_row_of_a_table_is_quoted_whole():
    assert quoted("The default of `--retries` is 5.") == "| `--retries` | 5 |"


def test_code_is_quoted_whole():
    assert quoted("Run `argocd app sync guestbook` to do so.") == "argocd app sync guestbook"


def test_what_is_said_over_two_sentences_is_quoted_with_both():
    found = quoted("Git is polled every 3 minutes, an interval set by timeout.reconciliation.")
    assert found is not None
    assert found.startswith("Argo CD polls")
    assert found.endswith("argocd-cm.")


@pytest.mark.parametrize(
    "sentence",
    [
        "It polls Git every 4 minutes.",
        "The interval is set by timeout.sync in argocd-cm.",
        "Elephants remember everything they were told.",
    ],
)
def test_wrong_numbers_names_and_matters_find_no_support(sentence: str):
    assert quoted(sentence) is None


def test_repeating_the_question_is_no_evidence():
    question = "Does Argo CD poll Git every night?"
    assert quoted("Argo CD polls Git at midnight from Reykjavik.", question) is None
    assert quoted("Argo CD polls Git every 3 minutes.", question) is not None


def test_the_title_counts_for_what_the_passage_speaks_of():
    assert quoted("Argo CD sets the interval in argocd-cm.") is not None
