"""The gold set: general questions shipped with the product, to see that tuning for one does not unlearn for all.

`passages.jsonl` and `questions.jsonl` were written for this; no passage is anybody else's text.
"""

import json
from importlib.resources import files
from typing import Any

from trainer.improvement.evaluating import Question
from trainer.improvement.examples import Shown


def gold_questions() -> list[Question]:
    """All of them, each with the passages to read; a quarter has no answer among these."""
    shown = {
        one["id"]: Shown(f"gold/{one['id']}.md", one["title"], one["heading"], one["text"])
        for one in _lines("passages.jsonl")
    }
    return [
        Question(
            f"gold {one['id']}",
            one["question"],
            tuple(shown[name] for name in one["passages"]),
            tuple(one["answers"]),
            one["kind"],
        )
        for one in _lines("questions.jsonl")
    ]


def _lines(name: str) -> list[dict[str, Any]]:
    text = files("trainer.gold").joinpath(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
