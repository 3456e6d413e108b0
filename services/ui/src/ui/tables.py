"""Tables as HTML of which every cell is escaped text. Pure."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell with a class of static/style.css."""

    text: str
    style: str


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str | Cell]]) -> str:
    """A table whose first column names its rows. The caption is for whoever does not see the page."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(_row(row, heads) for row in rows)
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption class="unseen">{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def pairs(values: Sequence[tuple[str, str]]) -> str:
    """Names and their values, one below the other."""
    return (
        '<dl class="pairs">' + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in values)
    ) + "</dl>"


def _row(cells: Sequence[str | Cell], heads: Sequence[str]) -> str:
    """A row. Its cells bear the names of their columns, for screens on which they stand below each other."""
    first, *others = (cell if isinstance(cell, Cell) else Cell(cell, "") for cell in cells)
    rest = "".join(_cell(cell, head) for cell, head in zip(others, heads[1:], strict=True))
    return f'<tr><th scope="row">{escape(first.text)}</th>{rest}</tr>'


def _cell(cell: Cell, head: str) -> str:
    style = f' class="{escape(cell.style)}"' if cell.style else ""
    return f'<td data-label="{escape(head)}"{style}>{escape(cell.text)}</td>'
