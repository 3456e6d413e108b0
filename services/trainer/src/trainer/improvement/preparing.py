"""From votes to examples: the rules of what is learnt from, and what is kept apart to measure on. Pure.

Nothing is left out silently: whatever is dropped is counted under its reason, for the report.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from opskit.contracts.answers import AnswerRecord

from trainer.feedback import KeptVote
from trainer.improvement.examples import Example, Shown
from trainer.improvement.locating import located
from trainer.improvement.personal_data import without_personal_data

Found = Callable[[KeptVote], tuple[Shown, ...]]
NOWHERE = "the correction stands in no passage"

_MARK = re.compile(r"\s*\[\d+\]")
_QUOTATION = re.compile(r"[\"“«].*", re.S)


@dataclass(frozen=True)
class Rules:
    """What is allowed into the data."""

    most_of_a_voter: int = 50
    """Examples of one voter; the newest count. Nobody alone decides what is learnt."""
    held_out: float = 0.3
    """Share of the examples kept apart to measure on. All examples about the same fact go the same way."""
    fewest: int = 20
    """With fewer corrections and accepted answers there is too little to learn from."""
    fewest_held_out: int = 8
    drawn: float = 0.25
    """Questions drawn from the documents by rules, for each example to learn from."""


@dataclass(frozen=True)
class Account:
    """Where every vote went."""

    votes: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    personal_data: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Split:
    """Examples to learn from, and those to measure on."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    leaks: int
    """Examples taken out of `train` because one held out asks the same or has the same answer in the same document."""


def examples_of(votes: Iterable[KeptVote], rules: Rules, found: Found | None = None) -> tuple[list[Example], Account]:
    """The examples that votes make, the newest vote first in each voter's share. `found` searches again where the
    reader was not shown what a correction says."""
    account = Account()
    examples: list[Example] = []
    total = 0
    for kept in sorted(votes, key=lambda one: one.updated_at, reverse=True):
        total += 1
        made = _example(kept, account, found)
        if isinstance(made, str):
            account.dropped[made] += 1
        else:
            examples.append(made)
    examples = _agreed(_capped(_once(examples, account), rules, account), account)
    account.origins.update(example.origin for example in examples)
    return examples, replace(account, votes=total, dropped=+account.dropped)


def split(examples: Sequence[Example], rules: Rules) -> Split:
    """Apart by fact: the same on every run, whatever came in between."""
    train = [example for example in examples if not _is_held_out(example, rules.held_out)]
    held_out = [example for example in examples if _is_held_out(example, rules.held_out)]
    asked = {bare(example.question) for example in held_out}
    clean = [example for example in train if bare(example.question) not in asked]
    return Split(tuple(clean), tuple(held_out), len(train) - len(clean))


def voter_of(kept: KeptVote) -> str:
    """An opaque name of whoever voted: enough to count by, not to find anybody by."""
    return hashlib.sha256(f"{kept.vote.tenant}/{kept.vote.key_id}".encode()).hexdigest()[:16]


def bare(text: str) -> str:
    """The words alone, for comparing."""
    return " ".join(re.findall(r"\w+", text.lower()))


def shown_passages(answer: AnswerRecord) -> tuple[Shown, ...]:
    """What the reader saw."""
    return tuple(Shown(one.document, one.title, one.heading, one.text) for one in answer.passages)


def short_of(answer: str) -> str:
    """What an answer says before it quotes."""
    return _QUOTATION.sub("", _MARK.sub("", answer)).strip() or _MARK.sub("", answer).strip(' "“”«»')


def _example(kept: KeptVote, account: Account, found: Found | None) -> Example | str:
    """The example of a vote, or why there is none."""
    vote = kept.vote
    question, taken = without_personal_data(vote.answer.question)
    account.personal_data.update(taken)
    unanswered = Example(kept.id, question, shown_passages(vote.answer), None, -1, -1, "accepted", voter_of(kept))
    if vote.correction:
        corrected = replace(unanswered, origin="correction")
        return _located(vote.correction, corrected) or _searched(kept, corrected, found) or NOWHERE
    if not unanswered.passages:
        return "nothing was shown to the reader"
    if vote.rating == "down":
        return "a down vote without a correction"
    if vote.answer.abstained:
        return unanswered
    return _located(short_of(vote.answer.answer), unanswered) or "the accepted answer stands in no passage"


def _searched(kept: KeptVote, example: Example, found: Found | None) -> Example | None:
    passages = found(kept) if found is not None else ()
    return _located(kept.vote.correction or "", replace(example, passages=passages)) if passages else None


def _located(said: str, example: Example) -> Example | None:
    place = located(said, example.question, [passage.text for passage in example.passages])
    return None if place is None else replace(example, gold=place.passage, start=place.start, end=place.end)


def _once(examples: Iterable[Example], account: Account) -> list[Example]:
    """Without what the same voter said before."""
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for example in examples:
        key = (example.voter, bare(example.question), bare(example.answer))
        if key in seen:
            account.dropped["the same again"] += 1
            continue
        seen.add(key)
        kept.append(example)
    return kept


def _capped(examples: Iterable[Example], rules: Rules, account: Account) -> list[Example]:
    given: Counter[str] = Counter()
    kept = []
    for example in examples:
        given[example.voter] += 1
        if given[example.voter] > rules.most_of_a_voter:
            account.dropped[f"more than {rules.most_of_a_voter} of one voter"] += 1
            continue
        kept.append(example)
    return kept


def _agreed(examples: Sequence[Example], account: Account) -> list[Example]:
    """One example for each question asked of a document set: what most voters say. Where they are at odds evenly there
    is none."""
    said: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        said[bare(example.question)][bare(example.answer)].append(example)
    kept = []
    for answers in said.values():
        ranked = sorted(answers.values(), key=lambda who: len({one.voter for one in who}), reverse=True)
        standing = [len({one.voter for one in who}) for who in ranked]
        if len(ranked) > 1 and standing[0] == standing[1]:
            account.dropped["voters contradict each other"] += sum(map(len, ranked))
            continue
        account.dropped.update({"outvoted": sum(map(len, ranked[1:])), "the same again": len(ranked[0]) - 1})
        kept.append(ranked[0][0])
    return kept


def _is_held_out(example: Example, share: float) -> bool:
    fact = f"{example.document}\0{bare(example.answer) or bare(example.question)}"
    return int.from_bytes(hashlib.sha256(fact.encode()).digest()[:8]) < share * 2**64
