"""How a parsed document is cut into chunks. Pure: text, blocks and a token counter in, ranges of the text out.

A chunk is one range of the text, so it is verbatim by construction. Among all ways to cut the document between its
blocks, the cheapest is taken: whole sections are good, tiny chunks are bad, and a break between a lead-in and the code,
list or table it introduces is worse than one between paragraphs. A block that is too long is first cut at its
sentences or lines, and only its pieces may overlap.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ingest.parsers.document import Block, ParsedDocument
from ingest.sentences import sentence_spans

SPLITTER_VERSION: Final = 1
"""Grows when the same document would be cut differently; reconcile then indexes everything again."""
MAX_TOKENS: Final = 220
"""The embedder reads 256 tokens; this leaves room for the title and the heading before the text."""
MAX_CHARS: Final = 8 * MAX_TOKENS
SMALL: Final = 80
"""A chunk below this many tokens says too little to be found by."""
OVERLAP_TOKENS: Final = 40
MAX_HEADING_CHARS: Final = 400
MAX_GAP_CHARS: Final = 200
NEVER: Final = 1e9

CountTokens = Callable[[Sequence[str]], list[int]]


def made_by(fingerprint: str) -> str:
    """What chunks were made with, embedder and rules: when it changes they are made again."""
    return f"{fingerprint}/{SPLITTER_VERSION}"


class TooLong(Exception):
    """The document would have more chunks than one document may."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A searchable piece: `text` is `document.text[start:end]`."""

    start: int
    end: int
    text: str
    heading: str
    page: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A block, or a part of one that is too long. `part` counts from 0 within the block; `gap` are the tokens between
    it and the piece before, which no block claims (a comment, the commas of JSON)."""

    block: Block
    start: int
    end: int
    tokens: int
    part: int = 0
    gap: int = 0


def split(document: ParsedDocument, count: CountTokens, *, max_chunks: int) -> list[Chunk]:
    """The chunks of `document`, in order."""
    if sum(block.end - block.start for block in document.blocks) > max_chunks * MAX_CHARS:
        raise TooLong
    pieces = _pieces(document, count)
    chunks: list[Chunk] = []
    first = 0
    for last in _breaks(pieces):
        if chunk := _chunk(document, pieces, first, last):
            chunks.append(chunk)
        first = last
    if len(chunks) > max_chunks:
        raise TooLong
    return chunks


def _pieces(document: ParsedDocument, count: CountTokens) -> list[Piece]:
    text = document.text
    counts = count([text[block.start : block.end] for block in document.blocks])
    pieces: list[Piece] = []
    for block, tokens in zip(document.blocks, counts, strict=True):
        if tokens <= MAX_TOKENS and block.end - block.start <= MAX_CHARS:
            pieces.append(Piece(block, block.start, block.end, tokens))
        else:
            pieces += _parts(text, block, count)
    return _with_gaps(text, pieces, count)


def _with_gaps(text: str, pieces: list[Piece], count: CountTokens) -> list[Piece]:
    places = [at for at in range(1, len(pieces)) if text[pieces[at - 1].end : pieces[at].start].strip()]
    counts = count([text[pieces[at - 1].end : pieces[at].start] for at in places])
    for at, tokens in zip(places, counts, strict=True):
        pieces[at] = replace(pieces[at], gap=tokens)
    return pieces


def _parts(text: str, block: Block, count: CountTokens) -> list[Piece]:
    """A block that is too long, cut at sentences or lines, and what is still too long at words."""
    body = text[block.start : block.end]
    spans = list(_lines(body) if block.kind in ("code", "row") else sentence_spans(body))
    counts = count([body[start:end] for start, end in spans])
    parts: list[Piece] = []
    for (start, end), tokens in zip(spans, counts, strict=True):
        fits = tokens <= MAX_TOKENS and end - start <= MAX_CHARS
        for s, e, n in [(start, end, tokens)] if fits else _forced(body, start, end, count):
            parts.append(Piece(block, block.start + s, block.start + e, n, part=len(parts)))
    return parts


def _lines(body: str) -> Iterator[tuple[int, int]]:
    at = 0
    for line in body.split("\n"):
        if line.strip():
            yield at, at + len(line)
        at += len(line) + 1


def _forced(body: str, start: int, end: int, count: CountTokens) -> Iterator[tuple[int, int, int]]:
    """Ranges within the limits for a sentence that is over them: halved at the space next to the middle."""
    if end - start <= MAX_CHARS:
        tokens = count([body[start:end]])[0]
        if tokens <= MAX_TOKENS:
            yield start, end, tokens
            return
    middle = (start + end) // 2
    space = max(body.rfind(" ", start + 1, middle), body.rfind("\n", start + 1, middle))
    cut = space if space > start + (end - start) // 4 else middle
    yield from _forced(body, start, cut, count)
    yield from _forced(body, cut, end, count)


def _breaks(pieces: Sequence[Piece]) -> list[int]:
    """The ends of the chunks: the cheapest way to cut, found from the back to the front."""
    size = len(pieces)
    best = [0.0] * (size + 1)
    choice = [size] * (size + 1)
    for first in range(size - 1, -1, -1):
        best[first] = NEVER * size
        tokens, inside = 0, 0.0
        for last in range(first + 1, size + 1):
            tokens += pieces[last - 1].tokens
            if last - first > 1:
                tokens += pieces[last - 1].gap
                inside += _cost_within(pieces[last - 2], pieces[last - 1])
                if tokens > MAX_TOKENS or inside >= NEVER or _chars(pieces, first, last) > MAX_CHARS:
                    break
            at_break = _cost_between(pieces[last - 1], pieces[last]) if last < size else 0.0
            cost = 1.0 + 2.0 * (max(0, SMALL - tokens) / SMALL) ** 2 + inside + at_break + best[last]
            if cost < best[first]:
                best[first], choice[first] = cost, last
    ends, at = [], 0
    while at < size:
        at = choice[at]
        ends.append(at)
    return ends


def _chars(pieces: Sequence[Piece], first: int, last: int) -> int:
    return pieces[last - 1].end - pieces[first].start


def _cost_within(before: Piece, after: Piece) -> float:
    """What it costs to have both in one chunk."""
    if before.block.page != after.block.page or after.start - before.end > MAX_GAP_CHARS:
        return NEVER
    old, new = before.block.path, after.block.path
    if old == new:
        return 0.0
    shared = len(_common([old, new]))
    if shared == len(old):
        return 0.3  # deeper into the same section: from an introduction to its first part
    return 1.2 if shared >= len(old) - 1 else 1.6


def _cost_between(before: Piece, after: Piece) -> float:
    """What it costs to part the two."""
    if before.block is after.block:
        return 2.0
    if before.block.kind == "heading":
        return 5.0
    if after.block.kind == "heading":
        return 0.0
    if before.block.kind == "row" and after.block.kind == "row":
        return 0.5
    if after.block.kind in ("code", "item", "row") and before.block.kind == "paragraph":
        return 2.5
    return 0.8 if before.block.kind == after.block.kind == "item" else 0.3


def _chunk(document: ParsedDocument, pieces: Sequence[Piece], first: int, last: int) -> Chunk | None:
    chosen = list(pieces[first:last])
    body = [piece for piece in chosen if piece.block.kind != "heading"]
    path = _common([piece.block.path for piece in body or chosen])
    while len(chosen) > 1 and chosen[0].block.kind == "heading" and _is_above(chosen[0].block.path, path):
        del chosen[0]  # it is said by the chunk's heading
    start, end = chosen[0].start, chosen[-1].end
    if chosen[0].part:
        tokens = sum(piece.tokens + piece.gap for piece in chosen)
        start = _overlapped(pieces[first - 1], tokens, start, end)
    if path[:1] == (document.title,):
        path = path[1:]
    context = chosen[0].block.context
    heading = _joined((*path, context) if context and context not in document.text[start:end] else path)
    return Chunk(start, end, document.text[start:end], heading, chosen[0].block.page)


def _overlapped(previous: Piece, tokens: int, start: int, end: int) -> int:
    """A start a sentence or line earlier, when there is room: the rest of a long block reads better with it."""
    room = tokens + previous.tokens <= MAX_TOKENS and end - previous.start <= MAX_CHARS
    return previous.start if room and previous.tokens <= OVERLAP_TOKENS else start


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    shortest = min(paths, key=len)
    for at, part in enumerate(shortest):
        if any(path[at] != part for path in paths):
            return shortest[:at]
    return shortest


def _is_above(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return other[: len(path)] == path


def _joined(path: tuple[str, ...]) -> str:
    """The path as one line; the headings nearest to the text matter most."""
    parts: list[str] = []
    for part in reversed(path):
        if parts and sum(map(len, parts)) + len(part) > MAX_HEADING_CHARS:
            break
        parts.insert(0, part[:MAX_HEADING_CHARS])
    return " > ".join(parts)


def without_repeats(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Each text once per place: the same words below the same heading on the same page are one chunk."""
    seen = {(chunk.page, chunk.heading, chunk.text): chunk for chunk in reversed(chunks)}
    return sorted((replace(chunk) for chunk in seen.values()), key=lambda chunk: chunk.start)
