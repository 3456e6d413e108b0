"""A Prometheus in which everything happens: series for all that expressions ask for, as promtool's tests read them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.promql import Known, selectors
from tests.monitoring.promtool import promtool, rules

MINUTES = 70
RELEASES = ("rel_1", "rel_2")
ALWAYS = {"release": RELEASES, "le": ("0.1", "+Inf"), "job": ("here",), "instance": ("here:80",)}


def show_something(expressions: Iterable[str], series: Known, folder: Path) -> None:
    """Fail with the expressions that Prometheus cannot evaluate, or that have no series though everything happens."""
    asked = sorted(set(expressions))
    recording = folder / "recording.yml"
    recording.write_text(yaml.safe_dump({"groups": [{"name": "recording", "rules": rules("record")}]}))
    made = [*_series([*asked, *(rule["expr"] for rule in rules("record"))], series)]
    tests = [_has_series(expr) for expr in asked]
    test = {"interval": "1m", "input_series": made, "promql_expr_test": tests}
    file = folder / "made_up.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(recording)], "evaluation_interval": "1m", "tests": [test]}))
    promtool("test", "rules", file)


def _has_series(expr: str) -> dict[str, Any]:
    samples = [{"labels": "{}", "value": 1}]
    return {"expr": f"count({expr}) > bool 0", "eval_time": f"{MINUTES - 1}m", "exp_samples": samples}


def _series(expressions: Iterable[str], series: Known) -> Iterator[dict[str, str]]:
    values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    recorded_of = {rule["record"]: {one.name for one in selectors(rule["expr"])} for rule in rules("record")}
    for selector in (one for expr in expressions for one in selectors(expr)):
        for name in recorded_of.get(selector.name, {selector.name}):
            words = values[name]
            for matcher in selector.matchers.matchers:
                words[matcher.name] |= {word.replace("..", "00") for word in matcher.value.split("|") if word != ".*"}
    for name, words in values.items():
        labels = sorted(series[name] | {"job", "instance"})
        for chosen in product(*(_values(label, words[label]) for label in labels)):
            yield _one(name, dict(zip(labels, chosen, strict=True)))


def _values(label: str, asked_for: set[str]) -> list[str]:
    return sorted({*asked_for, *ALWAYS.get(label, ("another",))})


def _one(name: str, labels: dict[str, str]) -> dict[str, str]:
    count = f"0+1x{MINUTES}"
    if name == "nexus_release_info":  # one champion, one challenger
        part = ("champion", "challenger")[RELEASES.index(labels["release"])]
        count = f"{int(labels['alias'] == part)}x{MINUTES}"
    written = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{written}}}", "values": count}
