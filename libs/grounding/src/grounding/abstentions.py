"""Telling that a model says it does not know."""

import re

_SAYS_SO = re.compile(
    r"\b(?:documents?|passages?|texts?|context|sources?|information)\b[^.!?\n]{0,60}\b(?:do(?:es)?\s+not|don't|doesn't|did\s+not|didn't|never)\s+"
    r"(?:\w+\s+)?(?:say|mention|contain|hold|state|specify|provide|include|explain|describe|give|answer|tell|cover)\b"
    r"|\b(?:is|are|was|were)\s+not\s+(?:\w+\s+)?(?:mentioned|stated|specified|provided|given|found|said|covered|in\s+the\s+(?:passages?|documents?|context))\b"
    r"|\b(?:cannot|can't|can\s+not|could\s+not|couldn't|unable\s+to)\s+(?:\w+\s+)?(?:answer|find|determine|tell|say)\b"
    r"|\b(?:i|we)\s+(?:do\s+not|don't)\s+know\b|\bno\s+(?:information|mention|answer)\b",
    re.I,
)
_OPENING = 200
"""Characters in which an answer says that it is none."""


def abstains(text: str, wording: str) -> bool:
    """Whether an answer says that the passages do not hold it: in the words it was told to use, or like them."""
    said = " ".join(text.split()).lower()
    told = " ".join(wording.split()).lower().rstrip(".!")
    return bool(told and said.startswith(told)) or _SAYS_SO.search(said[:_OPENING]) is not None
