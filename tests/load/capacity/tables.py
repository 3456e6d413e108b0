"""The tables of docs/scaling.md, each between two marks there: `<!-- table: NAME -->` and `<!-- end -->`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tests.load.capacity import prices
from tests.load.capacity.costs import COSTS, known
from tests.load.capacity.demand import EXAMPLES, Demand
from tests.load.capacity.plan import (
    GIB,
    Part,
    house,
    index_bytes,
    loading,
    plan,
    segments,
    sql_bytes,
)
from tests.load.capacity.queueing import longest_wait
from tests.load.capacity.simulation import Routing, simulate
from tests.load.capacity.thresholds import thresholds
from tests.load.capacity.vectors import TYPES

BAR = r"\|"
"""A bar within a cell."""
_PLANS = {demand.name: plan(demand) for demand in EXAMPLES}
_CLUSTERS = {name: made for name, made in _PLANS.items() if len(made.parts) > 1}
_ROUTINGS: Mapping[Routing, str] = {
    "common": "one common queue",
    "turns": "each rag takes its pods in turn",
    "pinned": "each rag stays with one pod",
}


def measured() -> str:
    """Every number that the model begins with."""
    rows = [(about.what, f"{_number(value)} {about.unit}", about.source) for value, about in known(COSTS)]
    return _table(("figure", "value", "from"), rows)


def demands() -> str:
    """What is asked of the examples."""
    lines: Sequence[tuple[str, Callable[[Demand], str]]] = (
        ("users", lambda one: f"{one.users:,}"),
        ("chunks", lambda one: f"{one.chunks:,}"),
        ("documents", lambda one: f"{one.chunks / COSTS.chunks_a_document:,.0f}"),
        ("knowledge bases", lambda one: f"{one.scopes:,}"),
        ("answers a month", lambda one: f"{one.answers_a_month:,.0f}"),
        ("answers a second in the busiest minutes", lambda one: _number(one.peak)),
        ("chunks edited, a second", lambda one: _number(one.edits)),
        ("first load within, days", lambda one: f"{one.load_days:g}"),
    )
    return _table(("", *_PLANS), [(name, *(show(one) for one in EXAMPLES)) for name, show in lines])


def plans() -> str:
    """Pods by part."""
    names = list(dict.fromkeys(part.name for made in _PLANS.values() for part in made.parts))
    rows = [(name, *(_pods(made.parts, name) for made in _PLANS.values())) for name in names]
    rows.append(("**cores**", *(f"**{made.cores:,.0f}**" for made in _PLANS.values())))
    rows.append(("**memory, GiB**", *(f"**{made.memory:,.0f}**" for made in _PLANS.values())))
    rows.append(("disks, GiB", *(f"{made.disk:,.0f}" for made in _PLANS.values())))
    return _table(("pods × (cores, GiB)", *_PLANS), rows)


def bounds() -> str:
    """What decides the number of pods, where it is more than the fewest."""
    rows = []
    for name, made in _CLUSTERS.items():
        largest = sorted(made.parts, key=lambda part: -part.pods * part.cores)[:4]
        rows += [(name, part.name, f"{part.pods * part.cores / made.cores:.0%}", part.bound) for part in largest]
    return _table(("", "part", "of all cores", "bound by"), rows)


def latencies() -> str:
    """The simulation at the planned number of pods, beside the formula."""
    rows = []
    for name, made in _CLUSTERS.items():
        at = house(made.demand, made)
        for routing, words in _ROUTINGS.items():
            seen = simulate(replace(at, routing=routing))
            rows.append((name, words, f"{seen.p50:.2f}", f"{seen.p95:.2f}", _mark(seen.p95)))
        wait = longest_wait(at.tritons * at.readers, at.rate, at.reading)
        rows.append((name, "the formula's bound", "", f"≤ {at.around + _slow(at.reading) + wait:.2f}", ""))
    return _table(("", "how answers come to Triton", "p50, s", "p95, s", "goal: p95 ≤ 1 s"), rows)


def indexes() -> str:
    """Memory of one copy of the index, vectors, terms and keys."""
    sizes = (10**4, 10**7, 10**9)
    rows = [
        (
            index.name,
            f"{index.memory:,.0f}",
            f"{index_bytes(index):,.0f}",
            *(_gib(index_bytes(index) * size) for size in sizes),
            _gib(index.disk * sizes[-1]) if index.disk else "",
            index.note,
        )
        for index in TYPES
    ]
    heads = ("index", "bytes a vector", "with terms, keys", "10⁴ chunks", "10⁷", "10⁹", "disk at 10⁹", "")
    return _table(heads, rows)


def searches() -> str:
    """Segments that one search goes through, by the number of partitions."""
    rows = [
        (
            f"{partitions:,}",
            *(f"{segments(one, replace(COSTS, partitions=partitions)):,.0f}" for one in EXAMPLES[1:]),
        )
        for partitions in (1, 16, 64, 1024)
    ]
    return _table(("partitions", *(one.name for one in EXAMPLES[1:])), rows)


def rows_in_sql() -> str:
    """What PostgreSQL holds."""
    kinds = list(sql_bytes(EXAMPLES[0]))
    rows = [(kind, *(_gib(sql_bytes(one)[kind]) for one in EXAMPLES)) for kind in kinds]
    return _table(("", *_PLANS), rows)


def loads() -> str:
    """While all is loaded for the first time."""
    rows = [
        (one.name, f"{one.load_days:g} days", f"{of['chunks a second']:,.0f}", of["ingest-worker"], of["triton"])
        for one in EXAMPLES[1:]
        for of in [loading(one)]
    ]
    return _table(("", "within", "chunks a second", "ingest-worker pods", "Triton pods beside those that read"), rows)


def scaling() -> str:
    """The thresholds."""
    rows = [(one.part, f"`{one.signal}`", f"**{one.value:g}** {one.unit}", one.why) for one in thresholds()]
    return _table(("part", "signal", "threshold", "because then"), rows)


def bills() -> str:
    """Of a month, at the prices assumed."""
    rows = []
    for name, made in _PLANS.items():
        of = prices.bill(made)
        parts = (f"${part:,.0f}" for part in (of.cores, of.memory, of.disks, of.objects))
        rows.append((name, *parts, f"**${of.month:,.0f}**", f"**${of.a_thousand:,.2f}**"))
    return _table(("", "cores", "memory", "disks", "objects", "a month", "1,000 answers"), rows)


def thousand() -> str:
    """1,000 answers by what gives them, of processors and GPUs that are never idle."""
    rows = [
        ("extractive reader, gateway and rag, processors as busy as planned", f"${prices.read_by_processors():.4f}"),
        ("language model, GPUs as busy as planned", f"${prices.written_by_gpus():.2f}"),
    ]
    return _table(("1,000 answers, nothing idle, no stores", ""), rows)


def models() -> str:
    """What a language model on GPUs adds."""
    rows = [(one.name, _number(one.peak), _number(prices.gpus(one.peak)), _slots(one)) for one in EXAMPLES]
    return _table(("", "answers a second", "GPUs", "answers being written at once"), rows)


def _slots(demand: Demand) -> str:
    return _number(demand.peak * COSTS.model_answer / COSTS.model_stream)


TABLES: Mapping[str, Callable[[], str]] = {
    "costs": measured,
    "demands": demands,
    "plans": plans,
    "bounds": bounds,
    "latencies": latencies,
    "indexes": indexes,
    "searches": searches,
    "sql": rows_in_sql,
    "loads": loads,
    "thresholds": scaling,
    "bills": bills,
    "thousand": thousand,
    "models": models,
}


def filled(page: str) -> str:
    """The page with its tables as they should be. Raises KeyError for a table nobody makes."""

    def made(mark: re.Match[str]) -> str:
        return f"{mark['begin']}\n{TABLES[mark['name']]()}\n{mark['end']}"

    marks = re.compile(r"(?P<begin><!-- table: (?P<name>\w+) -->)\n.*?(?P<end><!-- end -->)", re.DOTALL)
    return marks.sub(made, page)


def _pods(parts: Iterable[Part], name: str) -> str:
    for part in parts:
        if part.name == name:
            return f"{part.pods} × ({part.cores:g}, {part.memory:g})"
    return ""


def _slow(reading: float) -> float:
    """A reading time that 95 % do not exceed: of a nearly even distribution, two deviations above its mean."""
    return reading * (1 + 2 * COSTS.reading_spread)


def _mark(seconds: float) -> str:
    return "reached" if seconds <= 1 else "**missed**"


def _number(value: float) -> str:
    """Three digits are more than is known."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}"


def _gib(size: float) -> str:
    gib = size / GIB
    return f"{gib / 1024:.1f} TiB" if gib >= 1024 else f"{gib:,.0f} GiB" if gib >= 10 else f"{gib:.2g} GiB"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', BAR) for cell in line)} |" for line in lines)
