"""The data of a run as a page: what was learnt from, what was left out and why."""

from collections import Counter
from pathlib import Path
from typing import Any

from trainer.improvement.preparing import Account, Split
from trainer.report_page import picture, table, write_page

_DOCUMENTS = 30
_LONGEST_NAME = 33


def write_report(path: Path, account: Account, parts: Split) -> None:
    """Write it."""
    by_document = Counter(example.document for example in (*parts.train, *parts.held_out))
    drawn = account.origins["document"]
    sections = [
        f"<p>Of {account.votes} votes {account.origins.total() - drawn} became examples: {len(parts.train)} to learn "
        f"from, {len(parts.held_out)} to measure on. {parts.leaks} were taken out because one held out asks the same. "
        f"{drawn} more questions to learn from were drawn from the documents by rules.</p>",
        picture("What became of the votes", _fates, account, parts),
        table("Where examples come from", ("origin", "examples"), account.origins.most_common()),
        table("What was left out, and why", ("reason", "votes"), account.dropped.most_common()),
        table("Personal data taken out of questions", ("kind", "places"), account.personal_data.most_common()),
        table("Documents that answer", ("document", "examples"), by_document.most_common(_DOCUMENTS)),
        picture("Words of an answer", _lengths, parts),
    ]
    write_page(path, "Data of an improvement run", sections)


def _fates(axes: Any, account: Account, parts: Split) -> None:
    fates = {"learnt from": len(parts.train), "measured on": len(parts.held_out), **account.dropped}
    names = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in fates]
    axes.barh(names[::-1], list(fates.values())[::-1])
    axes.set(title="What became of the votes")


def _lengths(axes: Any, parts: Split) -> None:
    lengths = [len(one.answer.split()) for one in (*parts.train, *parts.held_out) if one.answer]
    axes.hist(lengths, bins=range(1, 22))
    axes.set(title="Words of an answer", xlabel="words", ylabel="examples")
