"""Names that do not say who it is."""

from trainer.observing.pseudonyms import Pseudonyms

NAMES = Pseudonyms("a secret of some length")


def test_the_same_name_is_always_the_same_pseudonym():
    assert NAMES.tenant("acme") == Pseudonyms("a secret of some length").tenant("acme")


def test_no_name_stands_in_its_pseudonym():
    assert "acme" not in NAMES.tenant("acme")
    assert "key_1" not in NAMES.voter("acme", "key_1")


def test_another_secret_makes_other_pseudonyms():
    assert NAMES.tenant("acme") != Pseudonyms("another secret").tenant("acme")


def test_names_of_different_things_are_different():
    same = ("acme", "acme")
    assert len({NAMES.tenant("acme"), NAMES.voter(*same), NAMES.conversation(*same), NAMES.knowledge_base(*same)}) == 4


def test_parts_cannot_be_moved_from_one_to_the_next():
    assert NAMES.voter("ab", "c") != NAMES.voter("a", "bc")
