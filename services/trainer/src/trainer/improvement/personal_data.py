"""Taking out of users' words what names or reaches a person. Pure.

Corrections and questions are learnt from and kept in data sets; whom somebody wrote about must not be. What stands in
the documents themselves is not touched: an answer may well be an address that a document gives.
"""

import re
from collections import Counter
from collections.abc import Mapping

_KINDS: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "social security number": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "ip address": re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"),
    "card": re.compile(r"\b\d(?:[ -]?\d){12,18}\b"),
    # Nine digits or more: a date has eight, and most versions fewer.
    "phone": re.compile(r"(?<![\w.])(?=(?:[^\w\n]*\d){9})\+?\(?\d[\d ()./-]{7,}\d(?!\w)"),
    "name": re.compile(r"(?i:(?<=\bmy name is )|(?<=\bI am called ))[A-Z]\w+(?: [A-Z]\w+)*"),
}


def without_personal_data(text: str) -> tuple[str, Counter[str]]:
    """The text with `[email]`, `[phone]` and so on in their places, and how many of each there were."""
    taken: Counter[str] = Counter()
    for kind, pattern in _KINDS.items():
        text, taken[kind] = pattern.subn(f"[{kind}]", text)
    return text, +taken
