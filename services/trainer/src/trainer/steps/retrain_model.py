"""retrain-model: the tuned reader, from the champion's own weights and the examples of this run."""

from opskit.contracts.releases import ReleaseBundle

from trainer.improvement.examples import read_examples
from trainer.improvement.runs import Run
from trainer.replay import replay_examples
from trainer.steps.tools import Done, Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json

EXTRACTIVE = "extractive"


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
        tune(served, examples, replay_examples(), work.model, how, say)
    except NothingLearnt as exc:
        raise StageFailed(str(exc)) from exc
    return Done(f"Learnt from {len(examples)} examples, starting from {champion.release}")
