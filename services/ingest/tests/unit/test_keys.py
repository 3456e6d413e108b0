"""What may name a document."""

import pytest
from ingest.keys import DocumentName, checked_key, checked_knowledge_base, flaw, name_of
from opskit.errors import InvalidRequest


@pytest.mark.parametrize(
    "key", ["a.md", "deep/er/path.pdf", "with space.txt", "ü😀" * 100 + ".md", "a..b", "~x", "a\\b"]
)
def test_ordinary_names_are_keys(key):
    assert checked_key(key) == key


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "empty"),
        ("../etc/passwd", "`..`"),
        ("a/../b", "`..`"),
        ("a/./b", "`.`"),
        ("/a", "slash"),
        ("a/", "slash"),
        ("a//b", "slash"),
        ("a\0b", "NUL"),
        ("a\nb", "control"),
        ("a\ufffdb", "UTF-8"),
        ("\udc80", "Unicode"),
        (".hidden", "dot"),
        ("a/.git/b", "dot"),
        ("k" * 1025, "1,025 bytes"),
        ("ü" * 513, "1,026 bytes"),
    ],
)
def test_other_names_are_refused_with_the_reason(key, why):
    assert why in (flaw(key) or "")
    with pytest.raises(InvalidRequest):
        checked_key(key)


def test_object_names_are_taken_apart_into_tenant_knowledge_base_and_key():
    assert name_of("acme/hand-book/a/b.md") == DocumentName("acme", "hand-book", "a/b.md")


@pytest.mark.parametrize("path", ["acme/default", "acme/default/", "ACME/default/a", "acme/../a", "x", "acme/kb/.tmp"])
def test_objects_that_are_no_documents_have_no_name(path):
    assert name_of(path) is None


def test_two_documents_never_share_an_id():
    names = [DocumentName("a", "b", "c"), DocumentName("a", "b-c", "c"), DocumentName("ab", "b", "c")]
    assert len({name.id for name in names}) == 3


@pytest.mark.parametrize("name", ["", "Upper", "-x", "a" * 64, "a/b", "a b", 'a"b'])
def test_a_knowledge_base_has_a_plain_name(name):
    with pytest.raises(InvalidRequest):
        checked_knowledge_base(name)
