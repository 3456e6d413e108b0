"""Making and training the tiny model: a tokenizer of its own, and a Llama of two layers."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from trainer.tiny.lessons import Lesson, lessons

BEGIN, END = "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTEXT = 2048
ECHO_STEPS, LESSON_STEPS = 900, 750
ECHOES, LESSONS = 32, 16
"""Rows of a step: of random words said twice, and of lessons."""
RATE = 5e-3
ANSWER_WEIGHT = 5.0
"""How much more a word of the answer counts than one of the question, which is learnt too: it holds the facts."""


def train(target: Path, *, seed: int = 4, say: Callable[[str], None] = print) -> float:
    """Train into a transformers folder with `tokenizer.json`; returns the last loss.

    First it learns to repeat what was said (without that it copies no word of a question into its answer; see
    Olsson et al. 2022 on induction heads), then the lessons.
    """
    torch.set_num_threads(1)  # matrices so small that more threads mostly wait for one another
    torch.manual_seed(seed)
    random = Random(seed)
    source = lessons(random)
    tokenizer = _tokenizer(list(islice(source, 1500)))
    model = LlamaForCausalLM(_config(tokenizer.get_vocab_size(), tokenizer.token_to_id(END)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)
    steps, began, loss = ECHO_STEPS + LESSON_STEPS, time.monotonic(), 0.0
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, step / 20) * max(0.02, 1 - step / steps)
        batch = _echoes(random, model) if step <= ECHO_STEPS else _lessons(tokenizer, list(islice(source, LESSONS)))
        outcome = _loss(model, *batch)
        outcome.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss = outcome.item()
        if step % 150 == 0:
            say(f"step {step} of {steps}  loss {loss:.3f}  {time.monotonic() - began:.0f} s")
    model.save_pretrained(target)
    tokenizer.save(str(target / "tokenizer.json"))
    # Without the class, transformers would take the tokenizer for that of the first Llama, and cut words its way.
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": CHAT_TEMPLATE, "eos_token": END}
    (target / "tokenizer_config.json").write_text(json.dumps(about))
    return loss


def _loss(model: LlamaForCausalLM, ids: torch.Tensor, weights: torch.Tensor) -> Any:
    """The weighted mean over the words, each of which is told from those before it. Both [rows, length]."""
    logits = model(input_ids=ids).logits[:, :-1]
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    return (each * weights[:, 1:]).sum() / weights[:, 1:].sum()


def _echoes(random: Random, model: LlamaForCausalLM) -> tuple[torch.Tensor, torch.Tensor]:
    length, gap = random.randint(8, 24), random.randint(0, 20)
    said = torch.randint(3, model.config.vocab_size, (ECHOES, length))
    between = torch.randint(3, model.config.vocab_size, (ECHOES, gap))
    ids = torch.cat([said, between, said], 1)
    weights = torch.zeros(ids.shape)
    weights[:, length + gap :] = 1.0
    return ids, weights


def spoken(lesson: Lesson) -> tuple[str, str]:
    """A lesson in the words of the chat template: what comes before the answer, and the answer with its end."""
    before = "".join(f"{BEGIN}{one['role']}\n{one['content']}{END}\n" for one in lesson.messages)
    return f"{before}{BEGIN}assistant\n", f"{lesson.answer}{END}"


def _tokenizer(sample: list[Lesson]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    kept = trainers.BpeTrainer(
        vocab_size=640,
        special_tokens=["<|endoftext|>", BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for lesson in sample for text in _texts(lesson)), kept)
    return tokenizer


def _texts(lesson: Lesson) -> Iterator[str]:
    yield from (message["content"] for message in lesson.messages)
    yield lesson.answer


def _config(vocabulary: int, end: int | None) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=0,
    )


def _lessons(tokenizer: Tokenizer, made: list[Lesson]) -> tuple[torch.Tensor, torch.Tensor]:
    pairs = [[tokenizer.encode(text).ids for text in spoken(lesson)] for lesson in made]
    longest = max(len(before) + len(after) for before, after in pairs)
    ids = torch.zeros(len(pairs), longest, dtype=torch.long)
    weights = torch.zeros(ids.shape)
    for row, (before, after) in enumerate(pairs):
        whole = len(before) + len(after)
        ids[row, :whole] = torch.tensor(before + after)
        weights[row, : len(before)] = 1.0
        weights[row, len(before) : whole] = ANSWER_WEIGHT
    return ids, weights
