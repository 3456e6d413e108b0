"""Groups as numbers: tokens in rows of a few fixed lengths, so that the network is compiled for each once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from trainer.base.groups import Group

LENGTHS = (64, 96, 128, 160, 192, 256, 320)
"""Tokens of a row; the last is what the served reader reads at once."""
BATCH_TOKENS = 6144
TYPICAL = 176
"""Passages much longer than they need be are cut to about this, now here, now there: most of a long one teaches nothing
about the question, and the time is better spent on another."""
KEPT_WHOLE = 0.15


@dataclass(frozen=True, slots=True)
class EncodedGroup:
    """A group's rows (tokens, and where the passage begins), and the answer's first and last token in the first row."""

    rows: tuple[tuple[list[int], int], ...]
    first: int
    last: int

    @property
    def length(self) -> int:
        return max(len(tokens) for tokens, _ in self.rows)


@dataclass(frozen=True)
class Batch:
    """`size` groups in rows of one length. Shapes: [rows, length] and [rows]; unused rows belong to no group."""

    tokens: NDArray[np.int64]
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    group: NDArray[np.int64]
    """The number of each row's group, -1 for none."""
    answer_row: NDArray[np.int64]
    """For each group the row that answers it, -1 when none does; as many as rows."""
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    size: int


class Encoder:
    """Turns groups into tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer

    def encode(self, groups: Sequence[Group], random: Random) -> list[EncodedGroup]:
        """The groups whose answer could be kept within the longest row."""
        pairs = [(group.question, passage) for group in groups for passage in group.passages]
        encodings = iter(self._tokenizer.encode_batch(pairs))
        made = (_encoded(group, [next(encodings) for _ in group.passages], random) for group in groups)
        return [group for group in made if group is not None]


def batches(groups: Sequence[EncodedGroup], random: Random) -> Iterator[Batch]:
    """Batches of groups of like length, in random order."""
    buckets: dict[int, list[EncodedGroup]] = {length: [] for length in LENGTHS}
    for group in groups:
        buckets[next(length for length in LENGTHS if group.length <= length)].append(group)
    packed = [(length, part) for length, bucket in buckets.items() for part in _parts(bucket, BATCH_TOKENS // length)]
    random.shuffle(packed)
    for length, part in packed:
        yield _batch(part, length, BATCH_TOKENS // length)


def _encoded(group: Group, encodings: list[Encoding], random: Random) -> EncodedGroup | None:
    first = last = -1
    if group.start >= 0:
        span = _tokens_of(encodings[0], group.start, group.end)
        if span is None:
            return None
        first, last = span
    rows = []
    for number, encoding in enumerate(encodings):
        keep = (first, last) if number == 0 and first >= 0 else None
        cut = _cut(encoding, keep, random)
        if cut is None:
            return None
        tokens, begins, dropped = cut
        rows.append((tokens, begins))
        if keep:
            first, last = first - dropped, last - dropped
    return EncodedGroup(tuple(rows), first, last)


def _tokens_of(encoding: Encoding, start: int, end: int) -> tuple[int, int] | None:
    touched = [
        place
        for place, (kind, (low, high)) in enumerate(zip(encoding.type_ids, encoding.offsets, strict=True))
        if kind == 1 and low < end and high > start
    ]
    return (touched[0], touched[-1]) if touched else None


def _cut(encoding: Encoding, keep: tuple[int, int] | None, random: Random) -> tuple[list[int], int, int] | None:
    """Tokens of at most the longest row with `keep` among them, where the passage begins, and how many were dropped
    before `keep`; None when the answer does not fit."""
    begins = encoding.type_ids.index(1)
    body = len(encoding.ids) - begins - 1
    longest = LENGTHS[-1] if random.random() < KEPT_WHOLE else TYPICAL
    room = longest - begins - 1
    if room < 16:
        return None
    if body <= room:
        return encoding.ids, begins, 0
    low, high = 0, body - room
    if keep is not None:
        low, high = max(low, keep[1] - begins - room + 1), min(high, keep[0] - begins)
    if low > high:
        return None
    dropped = random.randint(low, high)
    stretch = encoding.ids[begins + dropped : begins + dropped + room]
    return [*encoding.ids[:begins], *stretch, encoding.ids[-1]], begins, dropped


def _parts(groups: list[EncodedGroup], rows: int) -> Iterator[list[EncodedGroup]]:
    part: list[EncodedGroup] = []
    used = 0
    for group in groups:
        if used + len(group.rows) > rows:
            yield part
            part, used = [], 0
        part.append(group)
        used += len(group.rows)
    if part:
        yield part


def _batch(groups: Sequence[EncodedGroup], length: int, rows: int) -> Batch:
    tokens, types, mask = (np.zeros((rows, length), np.int64) for _ in range(3))
    mask[:, 0] = 1  # an unused row reads its padding: softmax over nothing is no number
    group_of, answer_row, first, last = (np.full(rows, -1, np.int64) for _ in range(4))
    at = 0
    for number, group in enumerate(groups):
        if group.first >= 0:
            answer_row[number], first[number], last[number] = at, group.first, group.last
        for ids, begins in group.rows:
            tokens[at, : len(ids)] = ids
            mask[at, : len(ids)] = 1
            types[at, begins : len(ids)] = 1
            group_of[at] = number
            at += 1
    return Batch(tokens, types, mask, group_of, answer_row, first, last, len(groups))
