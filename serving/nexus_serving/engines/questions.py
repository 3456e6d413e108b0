"""What a question asks for: the form of a good answer, told from its words alone."""

import re
from enum import StrEnum

from grounding.terms import terms

_ASKING = frozenset(
    "command example examples explain exact give guide best need needed recommended right show"
    " simplest easiest steps step tell use using used want way ways".split()
)
"""Words that say that something is asked, not what."""

_HOW_TO = re.compile(
    r"\bhow\s+(?:do|can|could|should|would|might|must|may)\s+(?:i|we|you|one|they|users?|someone)\b|\bhow\s+to\b"
    r"|\b(?:what|which)\s+(?:are\s+the\s+)?steps\b|\bsteps\s+(?:to|for)\b|\bshow\s+(?:me\s+)?(?:how|an?\s+example|the)\b"
    r"|\b(?:give|need|want|have)\b.*\bexample\b|^\s*examples?\s+(?:of|for)\b|\bexample\s+of\b|\bwalk\s+me\b"
    r"|\bwhat\s+(?:do|should|must)\s+(?:i|we)\s+(?:need\s+to\s+)?do\s+to\b"
    r"|\b(?:procedure|way)\s+(?:to|of|for)\b",
    re.I,
)
_ATTRIBUTE = (
    r"(?:default|maximum|minimum|max|min|name|port|version|number|value|length|size|limit|url|path|address|type|date"
    r"|cost|price|time|command|difference|reason|format|location|id|identifier|address|role|interval|timeout)"
)
_PREPOSITION = r"(?:about|at|between|by|for|from|if|in|of|on|per|than|that|to|when|with)"
_DEFINITION = re.compile(
    rf"^\s*(?:what(?:'s|\s+is|\s+are|\s+was|\s+were)|who\s+is|define)\s+(?:an?\s+)?(?!the\b|{_ATTRIBUTE}\b)[\w./-]+"
    rf"(?:\s+(?!{_PREPOSITION}\b)[\w./-]+){{0,3}}\s*\??\s*$"
    r"|^\s*what\s+(?:does|do)\s+.{1,60}\s+(?:mean|do|stand\s+for|refer\s+to)\b.{0,30}$"
    r"|^\s*what\s+is\s+meant\s+by\b|\bdefinition\s+of\b|^\s*(?:explain|describe)\b",
    re.I,
)
_EXPLANATION = re.compile(
    r"^\s*why\b|\bfor what reason\b|\bdifferences?\s+between\b|^\s*(?:explain|describe)\s+(?:how|why)\b"
    r"|^\s*how\s+(?:does|is|are)\b",
    re.I,
)
_LISTING = re.compile(
    r"^\s*(?:please\s+)?(?:list|name|enumerate)\b|\b(?:what|which)\s+(?:are|were)\s+(?:the|all|some)\s+(?:\w+\s+){0,3}?\w+s\b"
    r"|\b(?:what|which)\s+(?:\w+\s+){0,2}?(?:kinds|types|sorts|options|values|ways|phases|stages|states|fields|formats|modes"
    r"|commands|flags|parameters|settings|resources|files|events|metrics|components|parts|reasons|requirements|permissions)\b",
    re.I,
)
_YES_NO = re.compile(
    r"^\s*(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|had|must|may)\s+\S+", re.I
)
_NUMBER = re.compile(
    r"\bhow\s+(?:many|much|long|often|frequently|large|big|far|old|high|deep|wide|soon|tall|fast)\b"
    r"|\b(?:which|what)\s+(?:is\s+the\s+)?(?:\w+\s+)?(?:ports?|percentage|share|size|length|number|age|year|limit"
    r"|timeout|interval|user\s+id)\b"
    r"|\b(?:maximum|minimum|greatest|smallest|largest|longest)\b",
    re.I,
)
_VERSION = re.compile(r"\b(?:version|release|since\s+when)\b", re.I)
_NAMED_THING = re.compile(
    r"\b(?:what|which|name\s+of\s+the|by\s+what)\s+(?:\w+\s+){0,3}?(?:annotation|label|flag|option|metric|variable|command"
    r"|parameter|field|key|setting|file|function|path|prefix|url|endpoint)s?\b",
    re.I,
)
_NUMBER_WORD = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|once|twice"
    r"|zero|none|no|all|half|both|unlimited|unbounded|daily|hourly|weekly|monthly|yearly)\b",
    re.I,
)
_IDENTIFIER = re.compile(r"\w[._/:=-]+\w|[a-z][A-Z]|--\w|^[A-Z][A-Z0-9_]{2,}$|[-/_.]\w|\w-$|^[@$]")
_NAME = re.compile(r"[^\W\d_][^\W_]*|\d+(?:\.\d+)*")


_EXAMPLE = re.compile(r"\bexamples?\s+(?:of|for)\b|\bshow\s+me\b|\bexample\b.*\?*$", re.I)


class Form(StrEnum):
    """The form that the answer should have."""

    LOOKUP = "lookup"
    DEFINITION = "definition"
    EXPLANATION = "explanation"
    YES_NO = "yes_no"
    HOW_TO = "how_to"
    LISTING = "listing"
    """Several things are asked for: where they stand in a list, all of it is the answer."""


class Expected(StrEnum):
    """What a short answer should look like, where the question says so."""

    NUMBER = "number"
    VERSION = "version"
    IDENTIFIER = "identifier"


def form(question: str) -> Form:
    """The form that answers `question` best."""
    if _HOW_TO.search(question):
        return Form.HOW_TO
    if _YES_NO.match(question):
        return Form.YES_NO
    if _EXPLANATION.search(question):
        return Form.EXPLANATION
    if _LISTING.search(question):
        return Form.LISTING
    if _DEFINITION.search(question):
        return Form.DEFINITION
    return Form.LOOKUP


def asks_for_example(question: str) -> bool:
    """Whether something is to be shown: then code or steps serve better than any words."""
    return _EXAMPLE.search(question) is not None


def expected(question: str) -> Expected | None:
    """What the short answer should look like; None when the question does not say."""
    if _NUMBER.search(question):
        return Expected.NUMBER
    if _VERSION.search(question):
        return Expected.VERSION
    if _NAMED_THING.search(question):
        return Expected.IDENTIFIER
    return None


def looks_as_expected(answer: str, wanted: Expected) -> bool:
    """Whether a short answer has the look that was asked for."""
    if wanted is Expected.NUMBER:
        return _NUMBER_WORD.search(answer) is not None
    if wanted is Expected.VERSION:
        return any(character.isdigit() for character in answer)
    return _IDENTIFIER.search(answer) is not None


def asked_terms(question: str) -> frozenset[str]:
    """The terms of a question without the words that only ask."""
    return terms(" ".join(word for word in question.split() if word.strip("?,.!:;").lower() not in _ASKING))


def names(question: str) -> frozenset[str]:
    """Names and numbers of a question, in lower case: a passage that answers it will hardly lack them."""
    found: set[str] = set()
    for number, match in enumerate(_NAME.finditer(question)):
        word = match.group()
        inside = any(character.isupper() for character in word[1:])
        if inside or word[0].isdigit() or (number > 0 and word[0].isupper() and len(word) > 1):
            found.add(word.lower())
    return frozenset(found)
