"""Whether a challenger under real traffic is promoted, rolled back or watched on. Pure."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

Course = Literal["wait", "promote", "roll_back"]


@dataclass(frozen=True)
class Traffic:
    """What Prometheus says of one release since the canary began. Times in seconds."""

    answers: float = 0.0
    """Answers given and refused, errors among them."""
    errors: float = 0.0
    slowest: float | None = None
    """95th percentile of the answers' times; None while there are none."""
    up: float = 0.0
    down: float = 0.0

    @property
    def votes(self) -> float:
        return self.up + self.down


@dataclass(frozen=True)
class Watch:
    """How long a challenger is watched, and what it may not do."""

    answers: int = 100
    """So many answers of the challenger are enough, when as many of the champion's are there to compare with."""
    votes: int = 10
    more_errors: float = 0.02
    slower: float = 1.5
    more_down_votes: float = 0.15


@dataclass(frozen=True)
class Decision:
    """What to do, and why, for a person."""

    course: Course
    reason: str


def decide(champion: Traffic, challenger: Traffic, *, at_deadline: bool, watch: Watch) -> Decision:
    """Roll back as soon as it is clearly worse; promote when enough was seen, or at the deadline: the gate has already
    found it better, and the canary is there to see damage."""
    if reason := _worse(champion, challenger, watch):
        return Decision("roll_back", reason)
    seen = f"{challenger.answers:.0f} answers of the challenger and {champion.answers:.0f} of the champion"
    if challenger.answers >= watch.answers and champion.answers >= watch.answers:
        return Decision("promote", f"It did no worse over {seen}.")
    if at_deadline:
        return Decision("promote", f"Time is up; nothing spoke against it in {seen}.")
    return Decision("wait", f"So far there are {seen}; {watch.answers} of each are enough.")


def _worse(champion: Traffic, challenger: Traffic, watch: Watch) -> str:
    """Why the challenger is clearly worse; empty where it is not."""
    few = max(5, watch.answers // 5)
    if challenger.answers < few:
        return ""
    if _more(challenger.errors, challenger.answers, champion.errors, champion.answers) > watch.more_errors:
        ours, theirs = _share(challenger.errors, challenger.answers), _share(champion.errors, champion.answers)
        return f"It fails more often: {ours} of its answers, against {theirs}."
    if _slower(champion, challenger, watch, few):
        return f"It is slower: its 95th percentile is {challenger.slowest:.2f} s, against {champion.slowest:.2f} s."
    enough = min(challenger.votes, champion.votes) >= watch.votes
    if enough and _more(challenger.down, challenger.votes, champion.down, champion.votes) > watch.more_down_votes:
        ours, theirs = _share(challenger.down, challenger.votes), _share(champion.down, champion.votes)
        return f"It is liked less: {ours} of its votes are down, against {theirs}."
    return ""


def _slower(champion: Traffic, challenger: Traffic, watch: Watch, few: int) -> bool:
    if challenger.slowest is None or champion.slowest is None or champion.answers < few:
        return False
    return challenger.slowest > watch.slower * champion.slowest


def _more(ours: float, of_ours: float, theirs: float, of_theirs: float) -> float:
    """By how much our share is surely greater: the difference less one standard error of it (never below 0)."""
    our_share, their_share = ours / of_ours, theirs / of_theirs if of_theirs else 0.0
    pooled = (ours + theirs) / (of_ours + of_theirs)
    error = sqrt(pooled * (1 - pooled) * (1 / of_ours + (1 / of_theirs if of_theirs else 0.0)))
    return max(0.0, our_share - their_share - error)


def _share(part: float, whole: float) -> str:
    return f"{part / whole if whole else 0:.0%}"
