"""The evaluations: champion and candidate are asked the same, and what they said is kept question by question.

The stages benchmark-model-gold, benchmark-model-specific, hallucination-evaluation, factcheck-evaluation and
subject-matter-evaluation.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nexus_serving.engines.contract import ReaderFailed
from opskit.contracts.releases import ReleaseBundle

from trainer.gold import gold_questions
from trainer.improvement.evaluating import (
    Question,
    Said,
    as_json,
    asked,
    from_json,
    means,
    questions_of,
    without_the_answer,
)
from trainer.improvement.examples import read_examples
from trainer.improvement.runs import Run
from trainer.improvement.wording import wording_of
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, read_json, write_json

GOLD, SPECIFIC, HOPELESS = "gold", "specific", "hopeless"
"""The sets: general questions; held-out questions of this knowledge base; the same without the passage that answers."""
WHO = ("champion", "candidate")


def benchmark_gold(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """General questions: is anything unlearnt?"""
    return _benchmark(tools, work, GOLD, gold_questions(), say)


def benchmark_specific(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Questions of the users, never trained on: is anything learnt?"""
    return _benchmark(tools, work, SPECIFIC, specific_questions(work), say)


def hallucination(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Questions without what would answer them: is anything made up?"""
    _benchmark(tools, work, HOPELESS, without_the_answer(specific_questions(work)), say)
    rates = {}
    for who in WHO:
        said = {name: said_to(work, name, who) for name in (GOLD, SPECIFIC, HOPELESS)}
        hopeless = [*said[HOPELESS], *(one for one in said[GOLD] if not answers(work)[one.id])]
        rates[who] = {
            "answered what no passage answers": _share(not one.refused for one in hopeless),
            "words that no citation holds": 1 - means([one for part in said.values() for one in part])["supported"],
        }
    write_json(work.evaluation("hallucination"), rates)
    return Done(_beside(rates, "answered what no passage answers"))


def factcheck(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Answers against the documents: does it say something else than they do?"""
    rates, wrong = {}, {}
    for who in WHO:
        said = [one for name in (GOLD, SPECIFIC) for one in said_to(work, name, who) if answers(work)[one.id]]
        rates[who] = {"says something else than the documents": _share(bool(one.contradicts) for one in said)}
        wrong[who] = [one.id for one in said if one.contradicts]
    write_json(work.evaluation("factcheck"), {"rates": rates, "questions": wrong})
    return Done(_beside(rates, "says something else than the documents"))


def subject_matter(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """By subject: who gained and who lost?"""
    subjects: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    named = {**subjects_of(work), **{one.id: f"gold: {one.kind}" for one in gold_questions()}}
    for who in WHO:
        for name in (GOLD, SPECIFIC):
            for one in said_to(work, name, who):
                subjects[named[one.id]][who].append(one.f1)
    table = {
        subject: {"questions": len(both["candidate"]), **{who: sum(both[who]) / len(both[who]) for who in WHO}}
        for subject, both in sorted(subjects.items())
    }
    write_json(work.evaluation("subjects"), table)
    gained = sum(row["candidate"] > row["champion"] for row in table.values())
    lost = sum(row["candidate"] < row["champion"] for row in table.values())
    return Done(f"{gained} of {len(table)} subjects gained, {lost} lost")


def specific_questions(work: Workspace) -> list[Question]:
    """The examples that were kept out of the training."""
    return questions_of(read_examples(work.held_out))


def answers(work: Workspace) -> dict[str, bool]:
    """For every question of every set whether a passage answers it."""
    every = [*gold_questions(), *specific_questions(work), *without_the_answer(specific_questions(work))]
    return {one.id: bool(one.answers) for one in every}


def subjects_of(work: Workspace) -> dict[str, str]:
    """The subject of each specific question: the folder or, at the top, the document."""
    return {one.id: one.kind.rpartition("/")[0] or one.kind for one in specific_questions(work)}


def said_to(work: Workspace, name: str, who: str) -> list[Said]:
    """What one of them said to a set; nothing where it could not be asked."""
    return from_json(read_json(work.evaluation(name))[who]["said"])


def broken(work: Workspace, who: str) -> str:
    """Why one of them could not be asked; empty when it could."""
    return next(
        (why for name in (GOLD, SPECIFIC, HOPELESS) if (why := read_json(work.evaluation(name))[who]["broken"])), ""
    )


def digest_of(work: Workspace, who: str) -> str:
    """The digest of the reader that was asked."""
    return str(read_json(work.evaluation(GOLD))[who]["digest"])


def _benchmark(tools: Tools, work: Workspace, name: str, questions: Sequence[Question], say: Say) -> Done:
    bundle = ReleaseBundle.model_validate(read_json(work.champion))
    champion, prompt = tools.readers.of_release(bundle), wording_of(bundle).for_reader()
    body = {}
    for who, folder in zip(WHO, (champion, work.candidate_reader), strict=True):
        say(f"Asking the {who} {len(questions)} questions")
        body[who] = _asked(tools, folder, questions, prompt, say)
    write_json(work.evaluation(name), body)
    if why := body["candidate"]["broken"]:
        return Done(f"The candidate cannot be asked: {why}")
    scores = {who: means(from_json(body[who]["said"])) for who in WHO}
    before, now = (scores[who].get("exact", 0.0) for who in WHO)
    return Done(f"exact match {before:.1%} before, {now:.1%} now, over {len(questions)} questions")


def _asked(
    tools: Tools, folder: Path, questions: Sequence[Question], prompt: dict[str, str], say: Say
) -> dict[str, Any]:
    """What a reader said; a reader that cannot be opened or fails is bad news about it, not about this stage."""
    try:
        digest = str(json.loads((folder / "reader.json").read_text())["digest"])
        reader = tools.readers.open(folder)
    except (OSError, ValueError, KeyError, ReaderFailed) as exc:
        return {"digest": "", "said": [], "broken": f"{type(exc).__name__}: {exc}"[:500]}
    try:
        return {"digest": digest, "said": as_json(asked(reader, questions, say, prompt=prompt)), "broken": ""}
    except ReaderFailed as exc:
        return {"digest": digest, "said": [], "broken": str(exc)[:500]}
    finally:
        reader.close()


def _share(truths: Any) -> float:
    values = [bool(one) for one in truths]
    return sum(values) / len(values) if values else 0.0


def _beside(rates: dict[str, dict[str, float]], figure: str) -> str:
    return f"{figure}: {rates['champion'][figure]:.1%} before, {rates['candidate'][figure]:.1%} now"
