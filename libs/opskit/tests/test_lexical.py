"""Search terms: the same for the index and for the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opskit.lexical import STOP_WORDS, lexical_terms, lexical_text


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("How do I sync applications?", ["sync", "applic"]),
        ("ApplicationSet", ["applicationset", "applic", "set"]),
        ("argocd-cm", ["argocdcm", "argocd", "cm"]),
        ("spec.syncPolicy", ["specsyncpolicy", "spec", "syncpolici", "sync", "polici"]),
        ("The chart's name isn't given", ["chart", "name", "isn", "given"]),
        ("120 seconds", ["120", "second"]),
        ("über Größe", ["über", "größe"]),
        ("?!… —", []),
        ("", []),
    ],
)
def test_words_are_stemmed_identifiers_split_and_function_words_left_out(text, terms):
    assert lexical_terms(text) == terms


@given(st.text(max_size=200))
def test_any_text_gives_words_that_a_plain_tokenizer_keeps_apart(text):
    terms = lexical_terms(text)
    assert lexical_text(text).split() == terms
    assert not STOP_WORDS.intersection(terms) or any(c.isupper() for c in text)


@given(st.text(max_size=100), st.text(max_size=100))
def test_terms_of_two_paragraphs_are_those_of_each(first, second):
    assert lexical_terms(f"{first}\n\n{second}") == lexical_terms(first) + lexical_terms(second)
