"""Fine-tuning the extractive reader by LoRA (Hu et al. 2021), with peft and the Trainer of transformers.

It starts from the weights that serve, learns small matrices beside each large one and the vectors of the team's own
words, merges them, and writes int8 ONNX again. Those vectors learn fast and the matrices slowly: what a word means is
most of what users correct, and it concerns no text without that word. An interrupted training goes on from its last
checkpoint; the same seed gives the same weights on one machine.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from grounding.reading import read
from nexus_serving.reader_model import calibration_of, export_reader
from nexus_serving.reader_weights import restore
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from torch import nn
from transformers import BertForQuestionAnswering, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from trainer.base.batches import Batch, Encoder, batches
from trainer.base.network import Reader
from trainer.improvement.examples import Example
from trainer.improvement.material import groups_of
from trainer.improvement.own_words import own_tokens
from trainer.precision import sixteen_bits
from trainer.replay import general_texts

Say = Callable[[str], None]
HISTORY = "history.jsonl"
DONE = "tuned.json"


@dataclass(frozen=True)
class Tuning:
    """What decides the weights, besides the examples."""

    seed: int = 7
    rank: int = 16
    scale: int = 32
    dropout: float = 0.05
    rate: float = 2e-4
    """Of the matrices."""
    words_rate: float = 3e-3
    """Of the vectors of the team's own words."""
    warm_up: float = 0.06
    replayed: float = 1.2
    """Examples of the replay set in each pass, for each one that is learnt from."""
    passes: float = 5.0
    most_steps: int = 400
    """Of some 6,000 tokens each: a quarter of an hour on two cores."""
    save_every: int = 25


class NothingLearnt(Exception):
    """The training broke down; the message says how."""


def tune(
    served: Path, examples: Sequence[Example], replay: Sequence[Example], folder: Path, how: Tuning, say: Say
) -> Path:
    """Train on `examples`, among those of `replay` that keep old skills alive, from the reader in `served`; return
    the folder of the tuned reader, ready to be served. Done already, it is returned at once.

    Raises:
        NothingLearnt: the loss is no number, or nothing is left to learn from.
    """
    reader = folder / "reader"
    if (folder / DONE).exists():
        return reader
    torch.manual_seed(how.seed)
    base = folder / "base"
    if not (base / "config.json").exists():
        restore(served, base)
    words = _own_words(base, examples)
    say(f"{len(words)} words of their own")
    learnt = _learn(base, _packed(base, examples, replay, how), words, folder, how, say)
    merged = folder / "trained"
    learnt.save_pretrained(str(folder / "adapter"))
    learnt.merge_and_unload().save_pretrained(merged)
    shutil.copyfile(base / "tokenizer.json", merged / "tokenizer.json")
    export_reader(merged, reader, calibration_of(served), dither=how.seed)
    (folder / DONE).write_text(
        json.dumps({"tuning": asdict(how), "examples": len(examples), "replay": len(replay)}) + "\n"
    )
    return reader


def _own_words(base: Path, examples: Sequence[Example]) -> list[int]:
    """The token ids of words that the team uses and general text does not."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    asked = {one.question for one in examples} | {read(shown.text).text for one in examples for shown in one.passages}
    theirs, ours = (
        [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
        for texts in (general_texts(), sorted(asked))
    )
    return own_tokens(ours, theirs, {number: word for word, number in tokenizer.get_vocab().items()})


def _packed(base: Path, examples: Sequence[Example], replay: Sequence[Example], how: Tuning) -> list[Batch]:
    """All batches of all passes, each pass with other wrong passages."""
    encoder = Encoder(Tokenizer.from_file(str(base / "tokenizer.json")))

    def of_pass(number: int) -> list[Batch]:
        random = Random(f"{how.seed}/{number}")
        again = random.sample(replay, min(round(how.replayed * len(examples)), len(replay)))
        return list(batches(encoder.encode(groups_of([*examples, *again], random), random), random))

    if not encoder.encode(groups_of(examples, Random(how.seed)), Random(how.seed)):
        raise NothingLearnt("No example could be read: is every answer longer than the reader reads at once?")
    first = of_pass(0)
    steps = min(how.most_steps, max(1, round(len(first) * how.passes)))
    every = (batch for number in count(1) for batch in of_pass(number))
    return [*first, *islice(every, max(0, steps - len(first)))][:steps]


def _learn(base: Path, packed: Sequence[Batch], words: list[int], folder: Path, how: Tuning, say: Say) -> PeftModel:
    bert = BertForQuestionAnswering.from_pretrained(base, attn_implementation="sdpa", dtype=torch.float32)
    lora = LoraConfig(
        r=how.rank,
        lora_alpha=how.scale,
        lora_dropout=how.dropout,
        target_modules=["query", "key", "value", "dense"],
        modules_to_save=["qa_outputs"],
        trainable_token_indices={"word_embeddings": words} if words else None,
    )
    model = get_peft_model(bert, lora)
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        per_device_train_batch_size=1,  # one of our batches, which hold many questions
        max_steps=len(packed),
        learning_rate=how.rate,
        warmup_steps=max(1, round(how.warm_up * len(packed))),
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        seed=how.seed,
        train_sampling_strategy="sequential",
        bf16=sixteen_bits(),
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        save_steps=how.save_every,
        save_total_limit=1,
        logging_steps=5,
        logging_nan_inf_filter=False,  # it hides a loss that is no number
        disable_tqdm=True,
        report_to=[],
        label_names=[],
    )
    trainer = without_printing(
        Trainer(
            model=_Learning(model),
            args=arguments,
            train_dataset=_Batches(packed),
            data_collator=lambda items: items[0],
            callbacks=[Telling(folder / HISTORY, say)],
            optimizers=(_optimizer(model, how), None),
        )
    )
    checkpoints = folder / "checkpoints"
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.exists() else None  # type: ignore[no-untyped-call]
    done = trainer.train(resume_from_checkpoint=last)
    if not math.isfinite(done.training_loss):
        raise NothingLearnt(f"The loss became {done.training_loss}; a lower rate may help.")
    return model


def _optimizer(model: PeftModel, how: Tuning) -> torch.optim.Optimizer:
    learnt = {name: one for name, one in model.named_parameters() if one.requires_grad}
    words = [one for name, one in learnt.items() if "trainable_tokens" in name]
    others = [one for name, one in learnt.items() if "trainable_tokens" not in name]
    groups = [{"params": others, "lr": how.rate}, {"params": words, "lr": how.words_rate}]
    return torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)


def without_printing(trainer: Trainer) -> Trainer:
    """Without the lines and bars of transformers' own: `Telling` says what is to be said."""
    callbacks = trainer.callback_handler.callbacks
    own = ("PrinterCallback", "ProgressCallback")
    trainer.callback_handler.callbacks = [one for one in callbacks if type(one).__name__ not in own]
    return trainer


class _Batches(torch.utils.data.Dataset[dict[str, Any]]):
    """Our batches as the Trainer takes them."""

    def __init__(self, packed: Sequence[Batch]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, number: int) -> dict[str, Any]:
        batch = self._packed[number]
        names = ("tokens", "types", "mask", "group", "answer_row", "first", "last")
        return {**{name: torch.from_numpy(getattr(batch, name)) for name in names}, "size": torch.tensor(batch.size)}


class _Learning(nn.Module):
    """The reader's loss in the form that the Trainer wants."""

    def __init__(self, model: PeftModel) -> None:
        super().__init__()
        self.reader = Reader(model)

    def forward(self, size: torch.Tensor, **fields: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": self.reader(**fields) / size}


class Telling(TrainerCallback):
    """Progress for people and for the run's record, told by the first process alone. A loss that is no number ends the
    training: nothing good comes after it."""

    def __init__(self, history: Path, say: Say) -> None:
        self._history, self._say = history, say
        self._began = time.monotonic()
        self._from = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began, self._from = time.monotonic(), state.global_step
        if not state.is_world_process_zero:
            return
        self._say(f"{state.max_steps} steps" + (f", going on from {state.global_step}" if state.global_step else ""))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        control.should_training_stop = control.should_training_stop or not math.isfinite(logs["loss"])
        if not state.is_world_process_zero:
            return
        seconds = time.monotonic() - self._began
        left = seconds / max(1, state.global_step - self._from) * (state.max_steps - state.global_step)
        line = {"step": state.global_step, "steps": state.max_steps, "loss": logs["loss"], "seconds": round(seconds, 1)}
        with self._history.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._say(f"step {state.global_step} of {state.max_steps}  loss {logs['loss']:.3f}  {left:.0f} s left")
