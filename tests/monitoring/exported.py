"""The series that there are, with their labels: of our services as they export them, of rules as they record them."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta
from importlib import import_module
from itertools import chain
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from opskit.metrics import instrument
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector
from trainer.figures import StoredFigures
from trainer.improvement.releases import Release, State

from tests.monitoring import third_party
from tests.monitoring.promql import check
from tests.monitoring.promtool import rules

PACKAGES = ("gateway", "rag", "ingest", "trainer", "alert_bridge", "ui", "opskit")
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def of_services() -> dict[str, frozenset[str]]:
    """What our own /metrics say: the instruments of the metrics modules, and what is made when somebody asks."""
    found: dict[str, frozenset[str]] = {}
    for name, labels in chain(*map(_series, _instruments()), _doors(), _samples(_stored_figures())):
        found[name] = found.get(name, frozenset()) | labels
    return found


def known() -> dict[str, frozenset[str]]:
    """All that Prometheus has: of our services, of others, recorded by rules, and the alerts themselves."""
    series = of_services() | {name: labels for source in third_party.SOURCES for name, labels in source.series.items()}
    for rule in rules("record"):
        series[rule["record"]] = check(rule["expr"], series)
    # An alert has the labels of its expression, and of its rule.
    labels = [check(rule["expr"], series) | rule["labels"].keys() for rule in rules("alert")]
    series["ALERTS"] = frozenset({"alertname", "alertstate"}).union(*labels)
    return series


def _instruments() -> Iterator[MetricWrapperBase]:
    for package in PACKAGES:
        for value in vars(import_module(f"{package}.metrics")).values():
            candidates: Iterable[Any] = value.values() if isinstance(value, dict) else [value]
            yield from (one for one in candidates if isinstance(one, MetricWrapperBase))


def _series(one: MetricWrapperBase) -> Iterator[tuple[str, frozenset[str]]]:
    labels = frozenset(one._labelnames)  # a metric that nobody used yet says its labels nowhere else
    for family in one.describe():
        for ending in ENDINGS.get(family.type, ("",)):
            yield family.name + ending, labels | ({"le"} if ending == "_bucket" else set())


def _samples(collector: Collector) -> Iterator[tuple[str, frozenset[str]]]:
    for family in collector.collect():
        yield from ((sample.name, frozenset(sample.labels)) for sample in family.samples)


def _doors() -> Iterator[tuple[str, frozenset[str]]]:
    """What every service has beside its own: HTTP, after one request, and the process."""
    asyncio.run(_ask_a_service())
    beside = ("nexus_http_", "process_", "python_")
    return ((name, labels) for name, labels in _samples(REGISTRY) if name.startswith(beside))


async def _ask_a_service() -> None:
    app = FastAPI()
    instrument(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        await client.get("/nothing")


def _stored_figures() -> Collector:
    runs = SimpleNamespace(totals=lambda: SimpleNamespace(outcomes={}, decisions={}, stages=[]))
    releases = SimpleNamespace(all=lambda: [Release("rel_1", State.START)])
    feedback = SimpleNamespace(recent=lambda **_: {})
    figures: Any = StoredFigures
    return figures(runs, releases, feedback, window=timedelta(hours=1), of_a_voter=5)
