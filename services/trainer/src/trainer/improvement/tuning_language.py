"""Fine-tuning a causal language model by LoRA (Hu et al. 2021), with peft and the Trainer of transformers.

The weights are a transformers folder (or one of the hub) of the very model that serves as GGUF; what is learnt is
written as a GGUF adapter, which llama.cpp applies beside that file. An interrupted training goes on from its last
checkpoint; the same seed gives the same weights on one machine. Under torchrun or accelerate every process calls `tune`
alike: the Trainer shares the work out, and the first process alone writes and speaks.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from trainer.gguf_adapter import ARCHITECTURES, TARGETS, why_another_model, write_adapter
from trainer.improvement.encoding import LessonEncoder, Row, batch_of
from trainer.improvement.examples import Example
from trainer.improvement.prompting import Teaching
from trainer.improvement.tuning import HISTORY, NothingLearnt, Say, Telling, without_printing
from trainer.improvement.wording import Wording

ADAPTER, GGUF, DONE = "adapter", "adapter.gguf", "tuned.json"
"""In the training's folder: peft's own files, the same for llama.cpp, and what it was made with, once it is done."""


class WrongBase(Exception):
    """The weights named are not those of the model that serves, or cannot be tuned; the message says why."""


@dataclass(frozen=True)
class LanguageTuning:
    """What decides the weights, besides the examples."""

    seed: int = 7
    rank: int = 16
    scale: int = 32
    dropout: float = 0.05
    rate: float = 2e-4
    warm_up: float = 0.06
    passes: float = 8.0
    most_steps: int = 400
    rows: int = 16
    """Lessons of a step, whatever the number of processes."""
    rows_at_once: int = 2
    """Of them so many at the same time in one process: what its memory holds."""
    longest: int = 2048
    """Tokens of a lesson."""
    save_every: int = 25


@dataclass(frozen=True)
class Base:
    """What is tuned: `weights` in transformers' format (folder or hub id), which are those of the GGUF `served`; from
    the peft adapter `onward` where the model that serves has one."""

    weights: str
    served: Path | None = None
    onward: Path | None = None
    wording: Wording = field(default_factory=Wording)


def tune(
    base: Base, examples: Sequence[Example], replay: Sequence[Example], folder: Path, how: LanguageTuning, say: Say
) -> Path:
    """Train on `examples`, among those of `replay` that keep old skills alive; return the GGUF adapter in `folder`,
    with peft's files beside it. Done already, it is returned at once.

    Raises:
        WrongBase: the weights are missing, are no Llama's, or are not those of the model that serves.
        NothingLearnt: the loss is no number, or nothing is left to learn from.
    """
    if (folder / DONE).exists():
        return folder / GGUF
    torch.manual_seed(how.seed)
    model, tokenizer = _opened(base)
    rows = _rows(LessonEncoder(tokenizer, how.longest), [*examples, *replay], base.wording, how)
    config = model.config.to_dict()
    trainer = _trainer(_with_lora(model, base.onward, how), rows, folder, how, say)
    _train(trainer, folder / "checkpoints")
    trainer.save_model(str(folder / ADAPTER))
    if trainer.is_world_process_zero():
        write_adapter(folder / ADAPTER, config, folder / GGUF, name=f"LoRA of rank {how.rank}")
        made = {"tuning": asdict(how), "base": base.weights, "examples": len(examples), "replay": len(replay)}
        (folder / DONE).write_text(json.dumps(made) + "\n")
        say(f"The adapter has {(folder / GGUF).stat().st_size / 1e6:.1f} MB")
    return folder / GGUF


def _opened(base: Base) -> tuple[Any, Any]:
    """In 16 bits on a GPU; in 32 on a processor, many of which count in 16 bits only slowly."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.weights)
        dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        model = AutoModelForCausalLM.from_pretrained(base.weights, dtype=dtype, attn_implementation="sdpa")
    except (OSError, ValueError) as exc:
        why = " ".join(str(exc).split())
        raise WrongBase(f"{base.weights} cannot be opened as a language model of transformers: {why}"[:600]) from exc
    config = model.config.to_dict()
    if config["model_type"] not in ARCHITECTURES:
        kinds = ", ".join(ARCHITECTURES)
        raise WrongBase(f"{base.weights} is a {config['model_type']}; models of these kinds can be tuned: {kinds}")
    if not tokenizer.chat_template:
        raise WrongBase(f"{base.weights} has no chat template: take the model's instruct or chat variant")
    norm = model.get_parameter("model.norm.weight").detach().float().numpy()
    if base.served is not None and (why := why_another_model(base.served, config, norm)):
        raise WrongBase(f"{base.weights} is not the model of {base.served.name}: {why}")
    return model, tokenizer


def _rows(encoder: LessonEncoder, examples: Sequence[Example], wording: Wording, how: LanguageTuning) -> list[Row]:
    """All lessons of all passes in order, each pass with other wrong passages."""

    def of_pass(number: int) -> list[Row]:
        random = Random(f"{how.seed}/{number}")
        made = Teaching(wording, random, encoder.fits).lessons(examples)
        return [encoder.encode(lesson) for lesson in made]

    first = of_pass(0)
    if not first:
        raise NothingLearnt(f"No example could be read: is every one longer than {how.longest} tokens?")
    steps = min(how.most_steps, max(1, round(len(first) * how.passes / how.rows)))
    every = (row for number in count(1) for row in of_pass(number))
    wanted = steps * how.rows
    return [*first, *islice(every, max(0, wanted - len(first)))][:wanted]


def _with_lora(model: Any, onward: Path | None, how: LanguageTuning) -> PeftModel:
    if onward is not None:
        return PeftModel.from_pretrained(model, str(onward), is_trainable=True)
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=how.rank,
        lora_alpha=how.scale,
        lora_dropout=how.dropout,
        target_modules=list(TARGETS),
    )
    return get_peft_model(model, lora)


def _trainer(model: PeftModel, rows: Sequence[Row], folder: Path, how: LanguageTuning, say: Say) -> Trainer:
    on_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        per_device_train_batch_size=how.rows_at_once,
        max_steps=len(rows) // how.rows,
        learning_rate=how.rate,
        warmup_steps=max(1, round(how.warm_up * len(rows) / how.rows)),
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        seed=how.seed,
        train_sampling_strategy="sequential",
        bf16=on_gpu,
        use_cpu=not on_gpu,
        ddp_find_unused_parameters=False,
        activation_checkpointing=on_gpu,
        activation_checkpointing_kwargs={"use_reentrant": False},
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        save_steps=how.save_every,
        save_total_limit=1,
        logging_steps=5,
        logging_nan_inf_filter=False,  # it hides a loss that is no number
        disable_tqdm=True,
        report_to=[],
        label_names=["labels"],
    )
    arguments.gradient_accumulation_steps = max(1, how.rows // (how.rows_at_once * arguments.world_size))
    return without_printing(
        Trainer(
            model=model,
            args=arguments,
            train_dataset=_Rows(rows),
            data_collator=batch_of,
            callbacks=[Telling(folder / HISTORY, say)],
        )
    )


def _train(trainer: Trainer, checkpoints: Path) -> None:
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.exists() else None  # type: ignore[no-untyped-call]
    loss = trainer.train(resume_from_checkpoint=last).training_loss
    if not math.isfinite(loss):
        raise NothingLearnt(f"The loss became {loss}; a lower rate may help.")


class _Rows(torch.utils.data.Dataset[Row]):
    """Lessons as the Trainer takes them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Row:
        return self._rows[number]
