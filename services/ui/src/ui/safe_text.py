"""Making other people's text safe to show. Pure.

Answers quote documents, and documents are anybody's: nothing in them may load an image, run as HTML, or be read as one
of Streamlit's own directives (`$…$` as a formula, `:red[…]` as a colour, `:smile:` as a picture).
"""

import html
import re
from itertools import pairwise

_CODE = re.compile(
    r"(?P<fence>^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\2[`~]*[ \t]*$|\Z))|(?P<span>(`+)(?!`).+?(?<!`)\4(?!`))", re.M | re.S
)
_WORD_JOINER = "\u2060"
_DIRECTIVE = re.compile(r":(?=[A-Za-z0-9_+\-/]+[:\[\{])")
# GitHub's flavour of markdown makes links of bare addresses, escaped or not.
_ADDRESS = re.compile(r"https?(?=://)|\bwww(?=\.)|@(?=[\w-]+\.)", re.I)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.*?)[ \t#]*$", re.M)
# At the start of a line only when it ends the text, as after a block of code: elsewhere a line may begin so by itself.
_MARKER = re.compile(r"(?:(?<![\w\n])|(?<=\n)(?=\[\d{1,3}\]\s*\Z))\[(\d{1,3})\](?![(\[])")
_OPENS_A_BLOCK = re.compile(r"\s|[-*+>|#`~]|\d+[.)]\s")
_SOFT_WRAP_FROM = 60


def safe_markdown(text: str, *, citations: frozenset[int] = frozenset()) -> str:
    """`text` as markdown that shows what it says and does nothing else. Code stays as it is; the markers [n] of
    `citations` become small badges."""
    pieces, end = [], 0
    for code in _CODE.finditer(text):
        pieces += [_safe_prose(text[end : code.start()], citations), code[0]]
        end = code.end()
    return "".join([*pieces, _safe_prose(text[end:], citations)])


def _safe_prose(text: str, citations: frozenset[int]) -> str:
    # Entities rather than backslashes: a backslash that is already there would undo ours.
    text = text.replace("![", "&#33;[").replace("$", "&#36;").replace("<", "&lt;")
    text = _DIRECTIVE.sub(":" + _WORD_JOINER, text)
    text = _HEADING.sub(r"**\1**", text)
    return _MARKER.sub(lambda m: f":primary-badge[{m[1]}]" if int(m[1]) in citations else m[0], text)


def label(text: str) -> str:
    """`text` as it is, for the labels of widgets, which read markdown. Addresses in it are no links."""
    plain = _DIRECTIVE.sub(":" + _WORD_JOINER, " ".join(text.split()))
    plain = _ADDRESS.sub(lambda found: found[0] + _WORD_JOINER, plain)
    return re.sub(r"([\\`*_{}\[\]()#+!~|>$<])", r"\\\1", plain)


def highlighted(text: str, quote: str) -> str:
    """`text` as escaped HTML with the first `quote` in it marked; white space may differ between the two."""
    found = locate(text, quote)
    if found is None:
        return html.escape(text)
    start, end = found
    return f"{html.escape(text[:start])}<mark>{html.escape(text[start:end])}</mark>{html.escape(text[end:])}"


def reflowed(text: str) -> str:
    """`text` with the line breaks taken out that an editor put inside its paragraphs; lists, tables and code keep
    theirs. Only white space changes."""
    lines = text.split("\n")
    joined, in_code = lines[0], lines[0].startswith(("```", "~~~"))
    for before, line in pairwise(lines):
        fence = line.startswith(("```", "~~~"))
        soft = (
            not (in_code or fence)
            and len(before) >= _SOFT_WRAP_FROM
            and line != ""
            and not before.startswith(("|", "#"))
            and not _OPENS_A_BLOCK.match(line)
        )
        joined += (" " if soft else "\n") + line
        in_code ^= fence
    return joined


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Where `quote` stands in `text`, or None."""
    words = quote.split()
    if not words:
        return None
    exact = text.find(quote)
    if exact >= 0:
        return exact, exact + len(quote)
    found = re.search(r"\s+".join(re.escape(word) for word in words), text)
    return found.span() if found else None


def window(text: str, quote: str, *, size: int) -> tuple[str, bool, bool]:
    """At most `size` characters of `text` around `quote`, and whether something is left out before and after."""
    if len(text) <= size:
        return text, False, False
    found = locate(text, quote)
    middle = (found[0] + found[1]) // 2 if found else 0
    start = max(0, min(middle - size // 2, len(text) - size))
    return text[start : start + size], start > 0, start + size < len(text)
