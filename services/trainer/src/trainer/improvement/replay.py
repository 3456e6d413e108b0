"""Questions made from the documents by rules, read among the examples so that old skills are kept."""

from pathlib import Path
from random import Random

from trainer.base.groups import rows_from_documents
from trainer.base.rows import Row, read_documents
from trainer.improvement.examples import Example, Shown

SEED = 11
MOST = 240
"""At most: enough to keep old skills, too few to drown the new ones."""


def replay_rows(documents: Path, examples: int) -> list[Row]:
    """About as many as there are examples."""
    return rows_from_documents(list(read_documents(documents)), min(MOST, examples), Random(SEED))


def replay_examples(documents: Path, examples: int) -> list[Example]:
    """The same as examples."""
    return [
        Example(
            id=f"made {number}",
            question=row.question,
            passages=(Shown(row.source, row.title, "", row.passage),),
            gold=0 if row.answered else None,
            start=row.start,
            end=row.end,
            origin="document",
        )
        for number, row in enumerate(replay_rows(documents, examples))
    ]
