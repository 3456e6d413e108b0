"""retrain-model: the tuned reader, from the champion's own weights and the examples of this run."""

from contextlib import suppress
from pathlib import Path

from nexus_serving.engines.contract import ReaderFailed
from nexus_serving.reader_model import calibrate, calibration_of
from opskit.contracts.releases import EXTRACTIVE, LLAMA, ReleaseBundle

from trainer.improvement.caution import as_cautious
from trainer.improvement.examples import read_examples
from trainer.improvement.runs import Run
from trainer.ports import Readers
from trainer.replay import caution_questions, replay_examples
from trainer.steps.retrain_language import retrain_language
from trainer.steps.tools import Done, Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json


def retrain_model(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """LoRA on the family of the champion's reader."""
    champion = ReleaseBundle.model_validate(read_json(work.champion))
    served = tools.readers.of_release(champion)
    if champion.engine == EXTRACTIVE:
        _retrain_extractive(tools, served, work, say)
    elif champion.engine == LLAMA:
        try:
            base = tools.readers.base_model(served)
        except ReaderFailed as exc:
            raise StageFailed(f"The champion's model cannot be tuned: {exc}") from exc
        retrain_language(tools, champion, served, base, work, say)
    else:
        raise StageFailed(
            f"The champion's reader is of the kind {champion.engine}; those that are served here can be tuned: "
            f"{EXTRACTIVE} and {LLAMA}."
        )
    return Done(f"Learnt from {len(list(read_examples(work.train)))} examples, starting from {champion.release}")


def _retrain_extractive(tools: Tools, served: Path, work: Workspace, say: Say) -> None:
    # Imported here: PyTorch takes seconds, and no other stage needs it.
    from trainer.improvement.tuning import NothingLearnt, Tuning, tune

    examples = list(read_examples(work.train))
    how = Tuning(passes=tools.passes, most_steps=tools.most_steps)
    try:
        reader = tune(served, examples, replay_examples(), work.model, how, say)
    except NothingLearnt as exc:
        raise StageFailed(str(exc)) from exc
    say("Seeing how boldly it answers")
    _keep_caution(tools.readers, served, reader)


def _keep_caution(readers: Readers, served: Path, reader: Path) -> None:
    """Give the tuned reader the champion's caution. One that cannot be asked is for the evaluations to refuse."""
    before = readers.boldness(served, caution_questions())
    with suppress(ReaderFailed):
        calibrate(reader, as_cautious(before, calibration_of(served), readers.boldness(reader, caution_questions())))
