"""Lessons as numbers: the tokens of prompt and answer in the model's own chat template, learnt on the answer alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.improvement.prompting import Lesson

IGNORED = -100
"""The label of a token that is read and not learnt."""
_TURNS = {"enable_thinking": False}
"""As the serving engine asks for them."""


@dataclass(frozen=True)
class Row:
    """The tokens of a lesson; from `answer` on they are to be learnt."""

    tokens: NDArray[np.int32]
    answer: int


class LessonEncoder:
    """For one model. The answer ends as the template ends a turn of the assistant, so that the model learns to stop."""

    def __init__(self, tokenizer: Any, longest: int) -> None:
        self._tokenizer, self._longest = tokenizer, longest

    def fits(self, lesson: Lesson) -> bool:
        return len(self.encode(lesson).tokens) <= self._longest

    def encode(self, lesson: Lesson) -> Row:
        prompt, answer = self.spoken(lesson)
        # As one text: some tokenizers cut the first word of an answer differently when it stands alone.
        cut = self._tokenizer(prompt + answer, add_special_tokens=False, return_offsets_mapping=True)
        first = next(at for at, (_, end) in enumerate(cut["offset_mapping"]) if end > len(prompt))
        return Row(np.array(cut["input_ids"], np.int32), first)

    def spoken(self, lesson: Lesson) -> tuple[str, str]:
        """What the model reads before it answers, and the answer with the mark that ends it."""
        prompt = self._tokenizer.apply_chat_template(
            lesson.messages, tokenize=False, add_generation_prompt=True, **_TURNS
        )
        whole = self._tokenizer.apply_chat_template(
            [*lesson.messages, {"role": "assistant", "content": lesson.answer}], tokenize=False, **_TURNS
        )
        # A template may drop what it says at the beginning of an answer once the answer is there.
        ended = whole[len(prompt) :] if whole.startswith(prompt) else f"{lesson.answer}{self._tokenizer.eos_token}"
        return prompt, ended.rstrip()


def batch_of(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Rows of one length, with what was filled up neither read nor learnt."""
    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    labels = torch.full_like(tokens, IGNORED)
    for number, row in enumerate(rows):
        length = len(row.tokens)
        tokens[number, :length] = torch.from_numpy(row.tokens)
        mask[number, :length] = 1
        labels[number, row.answer : length] = tokens[number, row.answer : length]
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}
