"""retrain-model: the tuned reader, from the champion's own weights and the examples of this run."""

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from opskit.contracts.releases import ReleaseBundle

from trainer.improvement.examples import read_examples
from trainer.improvement.runs import Run
from trainer.steps.tools import Done, Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json

if TYPE_CHECKING:
    from trainer.base.groups import Group

EXTRACTIVE = "extractive"
REPLAY_SEED = 11
REPLAY = 240
"""Questions made from the documents by rules at most: enough to keep old skills, too few to drown the new ones."""


def retrain_model(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """LoRA on the family of the champion's reader."""
    # Imported here: PyTorch takes seconds, and no other stage needs it.
    from trainer.improvement.tuning import NothingLearnt, Tuning, tune

    champion = ReleaseBundle.model_validate(read_json(work.champion))
    if champion.engine != EXTRACTIVE:
        raise StageFailed(
            f"The champion's reader is of the kind {champion.engine}; this version tunes {EXTRACTIVE} ones."
        )
    served = tools.readers.of_release(champion)
    examples = list(read_examples(work.train))
    how = Tuning(passes=tools.passes, most_steps=tools.most_steps)
    try:
        tune(served, examples, _replay(work.documents, len(examples)), work.model, how, say)
    except NothingLearnt as exc:
        raise StageFailed(str(exc)) from exc
    return Done(f"Learnt from {len(examples)} examples, starting from {champion.release}")


def _replay(documents: Path, examples: int) -> list["Group"]:
    """Questions made from the documents, about as many as there are examples."""
    from trainer.base.groups import Group, rows_from_documents
    from trainer.base.rows import read_documents

    rows = rows_from_documents(list(read_documents(documents)), min(REPLAY, examples), Random(REPLAY_SEED))
    return [Group(row.question, (row.passage,), row.start, row.end) for row in rows]
