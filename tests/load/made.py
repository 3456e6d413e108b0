"""A small corpus made here, for where the development corpus is not: every fact in it is made up."""

from tests.e2e.library import FACTS, library, long_document
from tests.evaluation.corpus import Corpus

_BOOKS = 40
_SECTIONS = 12


def corpus() -> Corpus:
    """A document in each of the eight formats, and many about ships."""
    books = {f"books/{number}.md": long_document(number, _SECTIONS).encode() for number in range(1, _BOOKS + 1)}
    return Corpus({**library(), **books})


def questions() -> list[str]:
    """What the library answers, and what it does not."""
    asked = [fact.question for fact in FACTS]
    places = ("engine room", "wheelhouse", "cargo hold", "galley", "pump room")
    return [*asked, *(f"How often does the valve in the {place} have to be inspected?" for place in places)]
