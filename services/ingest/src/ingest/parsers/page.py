"""HTML by lxml: the words a reader sees, with headings, lists, code and tables; navigation and scripts left out."""

import re
from collections.abc import Iterator

from lxml import etree, html  # type: ignore[import-untyped]

from ingest.parsers.decode import decoded
from ingest.parsers.document import ParsedDocument, Progress, TextBuilder, Unreadable

_DROPPED = frozenset("script style template noscript nav footer svg iframe object button select dialog head".split())
_BLOCKS = frozenset(
    """address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4
    h5 h6 header hr li main ol p pre section summary table tbody td tfoot th thead tr ul""".split()
)
_HIDDEN_ROLES = frozenset({"navigation", "search", "banner", "contentinfo"})
_SPACE = re.compile(r"[ \t\r\n\f]+")


def parse_page(data: bytes, progress: Progress) -> ParsedDocument:
    """The main part of an HTML page as text."""
    source = decoded(data)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as exc:
        raise Unreadable("The HTML has no readable content.") from exc
    progress()
    walk = _Walk(progress)
    walk.element(_main(root))
    walk.flush()
    builder = walk.builder
    stated = _SPACE.sub(" ", root.findtext(".//title") or "").strip()
    first = next((block.path[-1] for block in builder.blocks if block.kind == "heading"), "")
    return builder.document(stated or first)


def _main(root: html.HtmlElement) -> html.HtmlElement:
    """The part marked as the content, when there is exactly one and it holds words."""
    for query in ("//main", "//*[@role='main']", "//article"):
        found = root.xpath(query)
        if len(found) == 1 and len(found[0].text_content().split()) > 20:
            return found[0]
    body = root.find("body")
    return root if body is None else body


def _is_hidden(element: html.HtmlElement) -> bool:
    role = element.get("role", "")
    return element.tag in _DROPPED or role in _HIDDEN_ROLES or "hidden" in element.attrib


class _Walk:
    """Walks the tree in document order; words between block elements gather until the next block begins."""

    def __init__(self, progress: Progress) -> None:
        self.builder = TextBuilder()
        self._words: list[str] = []
        self._marker = ""  # of the list item whose first words are still to come
        self._in_item = 0
        self._progress = progress

    def flush(self) -> None:
        text = _SPACE.sub(" ", "".join(self._words)).strip()
        self._words.clear()
        if text:
            self.builder.add("item" if self._in_item else "paragraph", self._marker + text)
            self._marker = ""

    def element(self, element: html.HtmlElement) -> None:
        """Take in one element and everything in it."""
        if not isinstance(element.tag, str) or _is_hidden(element):
            return
        if element.tag not in _BLOCKS:
            self._inline(element)
            return
        self.flush()
        self._progress()
        if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.builder.add_heading(int(element.tag[1]), _words_of(element).strip().rstrip("¶#").strip())
        elif element.tag == "pre":
            self.builder.add("code", element.text_content())
        elif element.tag == "table" and not element.xpath(".//table|.//pre|.//ul|.//ol"):
            self.builder.add_table(list(_rows(element)))
        elif element.tag in ("li", "dt", "dd"):
            self._item(element)
        else:
            self._children(element)
        self.flush()

    def _inline(self, element: html.HtmlElement) -> None:
        if element.tag == "br":
            self._words.append(" ")
        elif element.tag == "img":
            self._words.append(element.get("alt") or "")
        self._children(element)

    def _children(self, element: html.HtmlElement) -> None:
        self._words.append(element.text or "")
        for child in element:
            self.element(child)
            self._words.append(child.tail or "")

    def _item(self, item: html.HtmlElement) -> None:
        self._in_item += 1
        parent = item.getparent()
        if parent is not None and parent.tag == "ol":
            self._marker = f"{parent.index(item) + 1}. "
        else:
            self._marker = "- " if item.tag == "li" else ""
        self._children(item)
        self.flush()
        self._in_item -= 1
        self._marker = ""


def _words_of(element: html.HtmlElement) -> str:
    return _SPACE.sub(" ", str(element.text_content()))


def _rows(table: html.HtmlElement) -> Iterator[list[str]]:
    for row in table.iter("tr"):
        yield [_words_of(cell).strip() for cell in row if cell.tag in ("td", "th")]
