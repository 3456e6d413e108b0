"""Two pictures for docs/scaling.md: how long answers take as load grows, and what memory a billion chunks take."""

from dataclasses import replace
from pathlib import Path

from tests.load.capacity.costs import COSTS
from tests.load.capacity.demand import COMPANY
from tests.load.capacity.plan import GIB, house, plan
from tests.load.capacity.queueing import longest_wait
from tests.load.capacity.simulation import Routing, simulate
from tests.load.capacity.vectors import TYPES

_ROUTINGS: tuple[tuple[Routing, str, str], ...] = (
    ("pinned", "each rag stays with one pod", "tab:red"),
    ("turns", "each rag takes pods in turn", "tab:blue"),
    ("common", "one common queue", "tab:green"),
)
_SIZE = (7.5, 3.8)
_CHUNKS = 10**9


def draw(folder: Path) -> None:
    """Write both as SVG, the same bytes each time."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "nexus", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    )
    folder.mkdir(parents=True, exist_ok=True)
    _latency(folder / "scaling-latency.svg")
    _memory(folder / "scaling-memory.svg")


def _latency(file: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
    at = replace(house(COMPANY, plan(COMPANY)), tritons=8, rags=12)
    servers = at.tritons * at.readers
    slow = at.reading * (1 + 2 * at.spread)
    shares = [share / 20 for share in range(2, 20)]
    for routing, label, colour in _ROUTINGS:
        houses = [replace(at, rate=share * servers / at.reading, routing=routing) for share in shares]
        axes.plot(shares, [simulate(one).p95 for one in houses], "o-", ms=3, label=label, color=colour)
    bound = [at.around + slow + longest_wait(servers, share * servers / at.reading, at.reading) for share in shares]
    axes.plot(shares, bound, "--", color="grey", label="bound by the formula")
    axes.axhline(1.0, color="black", lw=0.8)
    axes.axvline(0.7, color="black", lw=0.8, ls=":")
    axes.set(ylim=(0, 2), xlabel="how busy the readers are (dotted: planned)", ylabel="p95 of an answer, s")
    axes.set_title(f"{at.tritons} pods of Triton, {at.rags} of rag", loc="left")
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _memory(file: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
    names = [index.name for index in reversed(TYPES)]
    begin = [0.0] * len(names)
    parts = (
        ("vectors", [index.memory for index in reversed(TYPES)], "tab:blue"),
        ("terms of BM25", [8 * COSTS.terms_a_chunk] * len(names), "tab:orange"),
        ("keys", [COSTS.keys_a_chunk] * len(names), "tab:grey"),
    )
    for label, sizes, colour in parts:
        gib = [size * _CHUNKS / GIB for size in sizes]
        axes.barh(names, gib, left=begin, label=label, color=colour)
        begin = [at + more for at, more in zip(begin, gib, strict=True)]
    axes.set(xlabel="GiB of memory, one copy")
    axes.set_title("A billion chunks in the memory of query nodes", loc="left")
    axes.legend(loc="lower right")
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
