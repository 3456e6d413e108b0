"""What a number of people and their documents ask of the platform, in requests and bytes."""

from dataclasses import dataclass

DAY = 86_400
HOUR = 3_600
WORKING_DAYS = 22
"""Of a month."""


@dataclass(frozen=True)
class Demand:
    """Some users and some documents. What each user does is an assumption: put your own numbers."""

    name: str
    users: int
    chunks: int
    scopes: int = 1
    """Knowledge bases that the chunks are spread over."""
    questions_a_day: float = 8
    """Of a user, on a working day."""
    busiest_hour: float = 0.2
    """The share of a day's questions that come in its busiest hour."""
    burst: float = 1.5
    """How much above that hour's mean its busiest minutes are."""
    votes: float = 0.05
    """Of answers, the share that is voted on."""
    changed_a_day: float = 0.01
    """Of chunks, the share that is new or edited on a day."""
    load_days: float = 1.0
    """How long the first load of all documents may take."""
    answers_kept_days: float = 90
    """rag's NEXUS_KEEP_ANSWERS."""

    @property
    def answers_a_day(self) -> float:
        return self.users * self.questions_a_day

    @property
    def answers_a_month(self) -> float:
        return self.answers_a_day * WORKING_DAYS

    @property
    def peak(self) -> float:
        """Answers a second in the busiest minutes."""
        return self.answers_a_day * self.busiest_hour * self.burst / HOUR

    @property
    def answers_kept(self) -> float:
        return self.answers_a_day * self.answers_kept_days * WORKING_DAYS / 30

    @property
    def first_load(self) -> float:
        """Chunks a second while all is loaded."""
        return self.chunks / (self.load_days * DAY)

    @property
    def edits(self) -> float:
        """Chunks a second on any day after."""
        return self.chunks * self.changed_a_day / DAY


TEAM = Demand("a team", users=50, chunks=10_000, load_days=0.05)
COMPANY = Demand("a company", users=5_000, chunks=10_000_000, scopes=20, load_days=3)
MANY = Demand("many companies", users=100_000, chunks=1_000_000_000, scopes=2_000, load_days=30)
EXAMPLES = (TEAM, COMPANY, MANY)
