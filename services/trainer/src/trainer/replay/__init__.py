"""The replay set: general questions that are learnt again with every tuning, so that old skills are kept while new ones
come. None of its passages or questions is near one of the gold set, which measures what was unlearnt.

`passages.jsonl` and `questions.jsonl` were written for this; no passage is anybody else's text.
"""

import json
from importlib.resources import files
from random import Random
from typing import Any

from trainer.improvement.evaluating import Question, questions_of
from trainer.improvement.examples import Example, Shown

SEED = 11


def replay_examples() -> list[Example]:
    """What is learnt: three of four. Nearly a third has no answer among its passages."""
    return [one for number, one in enumerate(_every()) if number % 4]


def caution_questions() -> list[Question]:
    """The fourth ones, which are not learnt: to see how boldly a reader answers."""
    return questions_of(one for number, one in enumerate(_every()) if number % 4 == 0)


def some_replay(count: int) -> list[Example]:
    """At most so many of them, always the same."""
    every = replay_examples()
    return Random(SEED).sample(every, min(count, len(every)))


def general_texts() -> list[str]:
    """What nobody's own documents say: its passages and questions."""
    return [one["text"] for one in _lines("passages.jsonl")] + [one["question"] for one in _lines("questions.jsonl")]


def _every() -> list[Example]:
    shown = {
        one["id"]: Shown(f"replay/{one['id']}.md", one["title"], one["heading"], one["text"])
        for one in _lines("passages.jsonl")
    }
    return [_example(one, shown) for one in _lines("questions.jsonl")]


def _example(one: dict[str, Any], shown: dict[str, Shown]) -> Example:
    passages = tuple(shown[name] for name in one["passages"])
    if one["gold"] is None:
        return Example(f"replay {one['id']}", one["question"], passages, None, -1, -1, "replay")
    answer = one["answers"][0]
    start = shown[one["gold"]].text.index(answer)
    gold = one["passages"].index(one["gold"])
    return Example(f"replay {one['id']}", one["question"], passages, gold, start, start + len(answer), "replay")


def _lines(name: str) -> list[dict[str, Any]]:
    text = files("trainer.replay").joinpath(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
