"""How long one waits for one of `servers` that each take `service` seconds: the formulas of Erlang.

They suppose arrivals at random, one common queue, and service times that differ as if by chance (exponential). Ours
differ less, so these figures are on the safe side. That pods have a queue each is not in them: simulation.py has it.
"""

import math
from itertools import count

MOST_BUSY = 0.7
"""Of its time a server may be busy at the peak. Above it waits grow faster than load."""


def chance_to_wait(servers: int, offered: float) -> float:
    """Erlang C: the share of those who come and find all servers busy; 1 where the work never gets done. `offered` is
    the rate times the service time, in servers."""
    if offered >= servers:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion: no factorial overflows
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    busy = offered / servers
    return blocked / (1 - busy * (1 - blocked))


def mean_wait(servers: int, rate: float, service: float) -> float:
    """Seconds in the queue; infinite where the work never gets done."""
    spare = servers / service - rate
    return chance_to_wait(servers, rate * service) / spare if spare > 0 else math.inf


def longest_wait(servers: int, rate: float, service: float, *, share: float = 0.95) -> float:
    """What `share` of all wait at most."""
    waiting, spare = chance_to_wait(servers, rate * service), servers / service - rate
    if spare <= 0:
        return math.inf
    return max(0.0, math.log(waiting / (1 - share)) / spare) if waiting > 0 else 0.0


def servers_for(rate: float, service: float, *, wait: float = math.inf, most_busy: float = MOST_BUSY) -> int:
    """The fewest servers that are busy for `most_busy` of the time at most and let 95 % wait no longer than `wait`."""
    first = max(1, math.ceil(rate * service / most_busy - 1e-9))
    return next(servers for servers in count(first) if longest_wait(servers, rate, service) <= wait)
