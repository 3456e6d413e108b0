"""Write the tables and pictures of docs/scaling.md anew, or print a plan for other numbers.

python -m tests.load.capacity                                    the page
python -m tests.load.capacity --users 2000 --chunks 3000000      pods, memory and money for these
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.load.capacity import pictures, tables
from tests.load.capacity.demand import Demand
from tests.load.capacity.plan import house, loading, plan
from tests.load.capacity.prices import bill
from tests.load.capacity.simulation import simulate

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = DOCS / "scaling.md"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    if asked.users is None:
        PAGE.write_text(tables.filled(PAGE.read_text()))
        pictures.draw(DOCS / "images")
        return 0
    demand = Demand("yours", asked.users, asked.chunks, asked.knowledge_bases, questions_a_day=asked.questions)
    _show(demand)
    return 0


def _show(demand: Demand) -> None:
    made, load = plan(demand), loading(demand)
    print(f"{demand.peak:.2g} answers a second in the busiest minutes; index: {made.index.name}")
    for part in made.parts:
        print(f"{part.pods:4} × {part.name:40} {part.cores:5g} cores {part.memory:6g} GiB   {part.bound}")
    print(f"{made.cores:,.0f} cores, {made.memory:,.0f} GiB; first load: {load}")
    if len(made.parts) > 1:
        seen = simulate(house(demand, made))
        print(f"simulated: p50 {seen.p50:.2f} s, p95 {seen.p95:.2f} s")
    of = bill(made)
    print(f"${of.month:,.0f} a month, ${of.a_thousand:.2f} for 1,000 answers, at the prices of prices.py")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--knowledge-bases", type=int, default=1)
    parser.add_argument("--questions", type=float, default=8, help="of a user, on a working day (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
