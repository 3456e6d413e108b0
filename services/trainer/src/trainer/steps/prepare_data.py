"""prepare-data: from votes to examples, with an account of where every vote went."""

from trainer.feedback import KeptVote
from trainer.improvement.drawing import drawn
from trainer.improvement.examples import Shown, write_examples
from trainer.improvement.preparing import Account, Split, examples_of, split
from trainer.improvement.releases import champion_of
from trainer.improvement.runs import Run
from trainer.steps.data_report import write_report
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, write_json


def prepare_data(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Examples to learn from and to measure on; the run ends here when there are too few."""
    start = tools.answers.start_release()
    champion = champion_of(tools.releases.all())
    write_json(work.champion, (champion.bundle if champion and champion.bundle else start).model_dump(mode="json"))
    votes = list(tools.feedback.every(knowledge_base=run.order.knowledge_base))
    say(f"{len(votes)} votes")
    examples, account = examples_of(votes, tools.rules, found=lambda vote: _search(tools, vote))
    parts = split(examples, tools.rules)
    more = drawn(parts.train, parts.held_out, most=round(tools.rules.drawn * len(parts.train)))
    account.origins.update(one.origin for one in more)
    write_examples(work.train, [*parts.train, *more])
    write_examples(work.held_out, parts.held_out)
    write_json(work.data_account, _account(account, parts))
    write_report(work.data_report, account, parts)
    for reason, count in account.dropped.most_common():
        say(f"left out: {count} × {reason}")
    found = f"{len(parts.train)} examples to learn from, {len(parts.held_out)} to measure on, of {len(votes)} votes"
    enough = len(examples) >= tools.rules.fewest and len(parts.held_out) >= tools.rules.fewest_held_out
    if not enough or not parts.train:  # all may be about one fact, and held out together
        wanted = f"{tools.rules.fewest} are needed, {tools.rules.fewest_held_out} of them to measure on"
        return Done(f"Too little to learn from: {found}; {wanted}.", "no_data")
    return Done(found)


def _search(tools: Tools, kept: KeptVote) -> tuple[Shown, ...]:
    """What a search returns for a question and its correction, where the reader was not shown what it needed."""
    answer = kept.vote.answer
    query = f"{answer.question} {kept.vote.correction or ''}".strip()
    return tuple(tools.answers.found(answer.tenant, answer.knowledge_base, query))


def _account(account: Account, parts: Split) -> dict[str, object]:
    counted = {name: dict(getattr(account, name)) for name in ("origins", "dropped", "personal_data")}
    sizes = {"train": len(parts.train), "held_out": len(parts.held_out), "leaks": parts.leaks}
    return {"votes": account.votes, **counted, **sizes}
