"""Citations in the words of a model: `[2]`, `[1, 3]`, `[Passage 2]`, `【2】`."""

import re

MARK = r"[\[【](?:(?:passages?|sources?|documents?)\s+)?\d{1,3}(?:\s*(?:,|;|and|&)\s*\d{1,3})*[\]】]"
_MARK = re.compile(MARK, re.I)
_WITH_SPACE = re.compile(rf"[ \t]*{MARK}", re.I)
_MAY_GO_ON = re.compile(r"\s*(?:[\[【][^\]】\n]{0,40})?\Z")


def cited(text: str) -> list[int]:
    """The numbers cited in a text, in order, each once."""
    found = (int(number) for mark in _MARK.finditer(text) for number in re.findall(r"\d+", mark.group()))
    return list(dict.fromkeys(found))


def without_marks(text: str) -> str:
    """The text without its citations and the space before them."""
    return _WITH_SPACE.sub("", text)


def settled(text: str) -> int:
    """Up to where a text that still grows holds no begun citation, nor white space that may stand before one."""
    tail = _MAY_GO_ON.search(text)
    assert tail is not None, "the pattern matches the empty end"
    return tail.start()
