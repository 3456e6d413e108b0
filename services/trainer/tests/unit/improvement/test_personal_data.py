"""Taking out what names or reaches a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.improvement.personal_data import without_personal_data


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Write to jane.doe@example.org please", "Write to [email] please"),
        ("Call +49 30 1234 5678 now", "Call [phone] now"),
        ("Call (030) 901820-110.", "Call [phone]."),
        ("My card 4111 1111 1111 1111 fails", "My card [card] fails"),
        ("IBAN DE89 3704 0044 0532 0130 00 was charged", "IBAN [iban] was charged"),
        ("My name is Ada Lovelace and I ask", "My name is [name] and I ask"),
        ("It answers at 192.168.2.17", "It answers at [ip address]"),
    ],
)
def test_it_is_replaced_by_what_it_was(text, without):
    assert without_personal_data(text)[0] == without


@pytest.mark.parametrize(
    "text",
    [
        "Was v1.8.0 released on 2026-11-20?",
        "How many of the 10,000 requests took 1.25 s in 2025?",
        "Is port 8080 or 19530 right for release 2.14.3-rc1?",
        "Does error 0x80070005 mean access denied?",
    ],
)
def test_dates_versions_and_figures_stay(text):
    assert without_personal_data(text) == (text, {})


def test_it_says_how_many_of_each():
    assert without_personal_data("a@b.de or c@d.de")[1] == {"email": 2}


@given(st.text(max_size=200))
def test_doing_it_again_changes_nothing(text):
    once, _ = without_personal_data(text)
    assert without_personal_data(once)[0] == once
