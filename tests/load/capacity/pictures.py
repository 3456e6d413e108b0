"""Two pictures for docs/scaling.md: how long answers take as load grows, and how much memory vectors take."""

from dataclasses import replace
from pathlib import Path

from tests.load.capacity.costs import COSTS
from tests.load.capacity.demand import COMPANY
from tests.load.capacity.plan import GIB, house, index_bytes, plan
from tests.load.capacity.queueing import longest_wait
from tests.load.capacity.simulation import Routing, simulate
from tests.load.capacity.vectors import DISKANN, HNSW, IVF_SQ8, RABITQ, RABITQ_SQ8

_ROUTINGS: tuple[tuple[Routing, str, str], ...] = (
    ("pinned", "each rag stays with one pod", "tab:red"),
    ("turns", "each rag takes pods in turn", "tab:blue"),
    ("common", "one common queue", "tab:green"),
)
_SIZE = (7.5, 3.8)


def draw(folder: Path) -> None:
    """Write both as SVG, the same bytes each time."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "nexus", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
    folder.mkdir(parents=True, exist_ok=True)
    _latency(folder / "scaling-latency.svg")
    _memory(folder / "scaling-memory.svg")


def _latency(file: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
    at = replace(house(COMPANY, plan(COMPANY)), tritons=8, rags=12)
    servers = at.tritons * at.readers
    shares = [share / 20 for share in range(2, 20)]
    for routing, label, colour in _ROUTINGS:
        houses = [replace(at, rate=share * servers / at.reading, routing=routing) for share in shares]
        axes.plot(shares, [simulate(one).p95 for one in houses], "o-", ms=3, label=label, color=colour)
    bound = [
        at.around + at.reading + longest_wait(servers, share * servers / at.reading, at.reading) for share in shares
    ]
    axes.plot(shares, bound, "--", color="grey", label="Erlang C, even reading times")
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
    sizes = [10 ** (power / 4) for power in range(16, 37)]
    for index in (HNSW, IVF_SQ8, DISKANN, RABITQ_SQ8, RABITQ):
        axes.plot(sizes, [size * index_bytes(index, COSTS) / GIB for size in sizes], label=index.name)
    for gib in (16, 128, 1024):
        axes.axhline(gib, color="grey", lw=0.8, ls=":")
        axes.text(1.1e4, gib * 1.1, f"{gib:,} GiB", color="grey")
    axes.set(xscale="log", yscale="log", xlabel="chunks", ylabel="GiB of memory, one copy")
    axes.set_title("Vectors, terms and keys in memory", loc="left")
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
