"""retrain-model for a language model: an adapter, in the folder of a reader that shares the champion's GGUF."""

import shutil
from dataclasses import replace
from pathlib import Path

from nexus_serving.llama.folder import ADAPTER as ADAPTER_FILE
from nexus_serving.llama.folder import read_folder, write_folder
from opskit.contracts.releases import ReleaseBundle

from trainer.improvement.examples import read_examples
from trainer.improvement.wording import Wording, wording_of
from trainer.replay import some_replay
from trainer.steps.joining import launch
from trainer.steps.tools import Say, StageFailed, Tools
from trainer.steps.workspace import Workspace

PEFT = "peft"
"""In a reader's folder: its adapter as peft's own files, which the next run goes on from."""
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")
"""The Trainer leaves more beside them, of which some is pickled and names this machine's folders."""


def retrain_language(
    tools: Tools, champion: ReleaseBundle, served: Path, model: Path, work: Workspace, say: Say
) -> None:
    """Tune the weights named by NEXUS_BASE_MODEL, which must be those of the GGUF `model`, from the champion's adapter
    onward. With a launcher the training runs in as many processes as that starts."""
    if not tools.base_model:
        raise StageFailed(
            f"Fine-tuning {model.name} needs its weights in transformers' format: set NEXUS_BASE_MODEL to a folder or "
            "a hub id, for example meta-llama/Llama-2-7b-chat-hf for a GGUF of Llama-2-7B-chat."
        )
    onward = served / PEFT if (served / PEFT).exists() else None
    if tools.launcher:
        _launched(tools, wording_of(champion), model, onward, work, say)
    else:
        _here(tools, wording_of(champion), model, onward, work, say)
    _reader_folder(served, work)


def _here(tools: Tools, wording: Wording, model: Path, onward: Path | None, work: Workspace, say: Say) -> None:
    # Imported here: PyTorch takes seconds, and no other stage needs it.
    from trainer.improvement.tuning import NothingLearnt
    from trainer.improvement.tuning_language import Base, LanguageTuning, WrongBase, tune

    examples = list(read_examples(work.train))
    how = LanguageTuning(passes=tools.passes, most_steps=tools.most_steps)
    try:
        tune(Base(tools.base_model, model, onward, wording), examples, some_replay(len(examples)), work.model, how, say)
    except (NothingLearnt, WrongBase) as exc:
        raise StageFailed(str(exc)) from exc


def _launched(tools: Tools, wording: Wording, model: Path, onward: Path | None, work: Workspace, say: Say) -> None:
    """As `python -m trainer tune-language` under torchrun or accelerate. Raises CalledProcessError: the stage is tried
    again, and goes on from its last checkpoint."""
    options = {
        "base": tools.base_model,
        "examples": work.train,
        "out": work.model,
        "served": model,
        "onward": onward,
        "instructions": wording.instructions,
        "abstention": wording.abstention,
        "passes": tools.passes,
        "most-steps": tools.most_steps,
    }
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    launch([*tools.launcher, "-m", "trainer", "tune-language", *words], work, say)


def _reader_folder(served: Path, work: Workspace) -> None:
    """The candidate: the champion's model with the new adapter. Written under its name when it is whole."""
    from trainer.improvement.tuning_language import ADAPTER, GGUF

    about = read_folder(served)
    assert about is not None, "only language models come here"
    part = work.model / "reader.part"
    shutil.rmtree(part, ignore_errors=True)
    (part / PEFT).mkdir(parents=True)
    for name in PEFT_FILES:
        shutil.copyfile(work.model / ADAPTER / name, part / PEFT / name)
    shutil.copyfile(work.model / GGUF, part / ADAPTER_FILE)
    write_folder(part, replace(about, adapter=None, adapter_digest=""))
    shutil.rmtree(work.candidate_reader, ignore_errors=True)
    part.replace(work.candidate_reader)
