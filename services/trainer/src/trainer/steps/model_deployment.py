"""model-deployment: the release under real traffic, until it is promoted or rolled back."""

import time
from datetime import UTC, datetime

from opskit.contracts.releases import ReleaseBundle
from opskit.errors import Unavailable

from trainer.deploying import Deployer
from trainer.improvement.canary import Decision, decide
from trainer.improvement.releases import NotAllowed, Release, State
from trainer.improvement.runs import Run
from trainer.steps.log_model import candidate_of
from trainer.steps.tools import Done, Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json

WHO = "pipeline"


def model_deployment(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Load it beside the champion, watch both, decide. Repeated, it goes on watching."""
    champion = ReleaseBundle.model_validate(read_json(work.champion))
    wanted = candidate_of(work, champion).release
    deployer = Deployer(tools.releases, tools.readers, tools.served)
    try:
        if _state(tools, wanted).state is State.CANDIDATE:
            deployer.try_out(wanted, tools.canary.share, who=WHO, why=f"run {run.id}", now=datetime.now(UTC))
            say(f"{wanted} answers {tools.canary.share:.0%} of the conversations")
        return _watched(tools, deployer, run, wanted, champion.release, say)
    except NotAllowed as exc:
        raise StageFailed(str(exc)) from exc


def _watched(tools: Tools, deployer: Deployer, run: Run, wanted: str, champion: str, say: Say) -> Done:
    began = next(one.at for one in tools.releases.changes(wanted) if one.after is State.CHALLENGER)
    told = ""
    while (state := _state(tools, wanted).state) is State.CHALLENGER:
        decision = _carried_out(deployer, wanted, _decision(tools, began, wanted, champion))
        if decision.reason != told:
            say(told := decision.reason)
        if decision.course == "wait":
            tools.runs.sign(run.id, now=datetime.now(UTC))
            time.sleep(tools.canary.look_every.total_seconds())  # Prometheus knows more only after its next scrape
    last = tools.releases.changes(wanted)[-1]
    if state in (State.CHAMPION, State.RETIRED):
        return Done(f"{wanted} was promoted by {last.who}: {last.why}", "promoted")
    return Done(f"{wanted} was rolled back by {last.who}: {last.why}", "rolled_back")


def _carried_out(deployer: Deployer, wanted: str, decision: Decision) -> Decision:
    """What is left of a decision: while Triton is away the challenger goes on being watched, and what somebody else
    decided meanwhile is seen at the next look."""
    try:
        if decision.course == "promote":
            deployer.promote(wanted, who=WHO, why=decision.reason, now=datetime.now(UTC))
        elif decision.course == "roll_back":
            deployer.withdraw(wanted, who=WHO, why=decision.reason, now=datetime.now(UTC))
    except Unavailable as exc:
        return Decision("wait", f"{decision.reason} That has to wait: {exc.message}")
    except NotAllowed as exc:
        return Decision("wait", str(exc))
    return decision


def _decision(tools: Tools, began: datetime, wanted: str, champion: str) -> Decision:
    passed = (datetime.now(UTC) - began).total_seconds()
    at_deadline = passed >= tools.canary.deadline.total_seconds()
    try:
        ours, theirs = (tools.traffic.of(release, seconds=passed) for release in (wanted, champion))
    except Unavailable as exc:
        if not at_deadline:
            return Decision("wait", f"Nobody knows how it does: {exc.message}")
        # Without a witness nothing is changed for good.
        return Decision("roll_back", f"Time is up, and nobody knows how it did: {exc.message}")
    return decide(theirs, ours, at_deadline=at_deadline, watch=tools.canary.watch)


def _state(tools: Tools, wanted: str) -> Release:
    release = next((one for one in tools.releases.all() if one.id == wanted), None)
    if release is None:
        raise StageFailed(f"{wanted} is not kept as a release; log-model comes before.")
    return release
