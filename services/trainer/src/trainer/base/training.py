"""Training the reader: passes over the groups, checkpoints on the way, the same again after an interruption."""

import itertools
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertForQuestionAnswering

from trainer.base.batches import Batch, Encoder, batches
from trainer.base.groups import Material, Mixture
from trainer.base.network import Reader
from trainer.base.rows import Row
from trainer.precision import sixteen_bits

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
Say = Callable[[str], None]


class CannotResume(Exception):
    """The folder holds a training begun with other settings; the message says which differ."""


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, besides the data. Rates are those of AdamW."""

    seed: int = 21
    peak_rate: float = 2.2e-4
    warm_up: float = 0.04
    """The share of all steps in which the rate rises; then it falls to nothing along a line."""
    weight_decay: float = 0.01
    dropout: float = 0.0
    checkpoint_every: int = 200


@dataclass(frozen=True)
class Part:
    """Rows that are read together, and how often; the last pass may be a part of one. See `Material` for `others`."""

    rows: Sequence[Row]
    passes: float
    others: Sequence[str] = ()


class Reading:
    """The passes over a part: other wrong passages and another order each time, the same when it is gone on with."""

    def __init__(self, part: Part, seed: str, mixture: Mixture) -> None:
        self._material = Material(part.rows, part.others)
        self._seed = seed
        self._mixture = mixture

    def of_pass(self, number: int, encoder: Encoder, say: Say) -> Iterator[Batch]:
        """What is learnt from in the pass of this number."""
        say(f"Choosing passages for {len(self._material.rows)} rows")
        random = Random(f"{self._seed}/{number}")
        return batches(encoder.encode(self._material.groups(random, self._mixture), random), random)


@dataclass(frozen=True)
class Progress:
    """Where a training stands. `loss` is a running mean per question."""

    step: int
    steps: int
    questions: int
    loss: float
    seconds: float
    seconds_left: float

    def __str__(self) -> str:
        left = time.strftime("%H:%M:%S", time.gmtime(self.seconds_left))
        share, rate = self.step / self.steps, self.questions / self.seconds
        return (
            f"{share:6.1%}  step {self.step} of {self.steps}  loss {self.loss:.3f}  {rate:.0f} questions/s  {left} left"
        )


class Training:
    """One training in a folder. `begin` or resume with `run`; the folder then holds a transformers model."""

    def __init__(self, encoder: Path, folder: Path, recipe: Recipe, mixture: Mixture, *, compiled: bool) -> None:
        torch.manual_seed(recipe.seed)
        self._folder = folder
        self._recipe = recipe
        self._mixture = mixture
        self._tokenizer = encoder / "tokenizer.json"
        self._encoder = Encoder(Tokenizer.from_file(str(self._tokenizer)))
        self._bert = _with_span_head(encoder, recipe.dropout)
        self._reader = Reader(self._bert)
        self._forward = torch.compile(self._reader, dynamic=False) if compiled else self._reader
        self._optimizer = torch.optim.AdamW(_decayed(self._bert, recipe.weight_decay), lr=0.0, betas=(0.9, 0.98))
        self._step = 0
        self._seconds = 0.0
        self._questions = 0
        self._loss = 0.0

    def run(self, parts: Sequence[Part], say: Say) -> None:
        """Train on one part after the other, from the last checkpoint when the folder has one.

        Raises:
            CannotResume: the folder's checkpoint was made with other settings or other rows.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._resume(parts, say)
        readings = [Reading(part, f"{self._recipe.seed}/{number}", self._mixture) for number, part in enumerate(parts)]
        firsts = [list(reading.of_pass(0, self._encoder, say)) for reading in readings]
        wanted = [max(1, round(len(first) * part.passes)) for part, first in zip(parts, firsts, strict=True)]
        before = 0
        for reading, first, count in zip(readings, firsts, wanted, strict=True):
            again = (batch for number in itertools.count(1) for batch in reading.of_pass(number, self._encoder, say))
            learnt = min(max(0, self._step - before), count)
            for batch in itertools.islice(itertools.chain(first, again), learnt, count):
                self._learn(batch, sum(wanted))
                self._report(sum(wanted), say)
                if self._step % self._recipe.checkpoint_every == 0:
                    self._checkpoint(parts)
            before += count
        self._checkpoint(parts)
        self.save(self._folder / "trained")

    def save(self, target: Path) -> None:
        """The model as a transformers folder."""
        self._bert.save_pretrained(target)
        shutil.copyfile(self._tokenizer, target / "tokenizer.json")

    def _learn(self, batch: Batch, steps: int) -> None:
        began = time.monotonic()
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.peak_rate * _share(self._step, steps, self._recipe.warm_up)
        self._reader.train()
        fields = (batch.tokens, batch.types, batch.mask, batch.group, batch.answer_row, batch.first, batch.last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=sixteen_bits()):
            loss = self._forward(*map(torch.from_numpy, fields)) / batch.size
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._bert.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at step {self._step}: try a lower --rate")
        self._step += 1
        self._questions += batch.size
        self._loss = value if self._step == 1 else 0.98 * self._loss + 0.02 * value
        self._seconds += time.monotonic() - began

    def _report(self, steps: int, say: Say) -> None:
        if self._step % 20 and self._step != steps:
            return
        left = self._seconds / self._step * (steps - self._step)
        progress = Progress(self._step, steps, self._questions, self._loss, self._seconds, left)
        with (self._folder / HISTORY).open("a") as file:
            file.write(json.dumps(asdict(progress)) + "\n")
        say(str(progress))

    def _about(self, parts: Sequence[Part]) -> dict[str, Any]:
        sizes = [[len(part.rows), part.passes] for part in parts]
        return {"recipe": asdict(self._recipe), "mixture": asdict(self._mixture), "parts": sizes}

    def _checkpoint(self, parts: Sequence[Part]) -> None:
        state = {
            "about": self._about(parts),
            "model": self._bert.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "at": (self._step, self._seconds, self._questions, self._loss),
        }
        part = self._folder / f"{CHECKPOINT}.part"
        torch.save(state, part)
        part.replace(self._folder / CHECKPOINT)

    def _resume(self, parts: Sequence[Part], say: Say) -> None:
        path = self._folder / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["about"] != self._about(parts):
            raise CannotResume(
                f"{path} was begun with {state['about']}; this is {self._about(parts)}. Use another folder."
            )
        self._bert.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step, self._seconds, self._questions, self._loss = state["at"]
        say(f"Going on from step {self._step}")


def _share(step: int, steps: int, warm_up: float) -> float:
    """The share of the peak rate at a step."""
    rising = max(1, round(warm_up * steps))
    return (step + 1) / rising if step < rising else max(0.0, (steps - step) / (steps - rising))


def _with_span_head(encoder: Path, dropout: float) -> BertForQuestionAnswering:
    config = BertConfig.from_pretrained(encoder)
    config.hidden_dropout_prob = dropout
    config.attention_probs_dropout_prob = 0.0
    config.architectures = ["BertForQuestionAnswering"]
    return BertForQuestionAnswering.from_pretrained(
        encoder, config=config, attn_implementation="sdpa", dtype=torch.float32
    )


def _decayed(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices lose a little of their size at each step, biases and scales do not."""
    matrices = [one for one in model.parameters() if one.dim() > 1]
    others = [one for one in model.parameters() if one.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
