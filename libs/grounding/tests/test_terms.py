"""Words that carry meaning."""

from grounding.terms import terms


def test_terms_are_stemmed_and_identifiers_taken_apart():
    assert terms("Installing the ApplicationSets") & terms("install an application set") >= {"instal", "applic"}
