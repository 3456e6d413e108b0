"""The stages that a run does in another way when settings alone are to change."""

from opskit.contracts.releases import ReleaseBundle
from opskit.errors import InvalidRequest

from trainer.errors import NotPossible
from trainer.improvement.proposing import differences
from trainer.improvement.runs import Run
from trainer.proposing import proposal
from trainer.steps.prepare_data import prepare_data
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, read_json, write_json


def prepare_settings(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """Questions to measure on, and the proposed release. It is made of the champion as it is now, which may be another
    one than when it was proposed."""
    done = prepare_data(tools, run, work, say)
    if done.outcome is not None:
        return done
    champion = ReleaseBundle.model_validate(read_json(work.champion))
    try:
        bundle = proposal(champion, run.order.settings or {}, tools.answers, tools.releases)
    except (InvalidRequest, NotPossible) as exc:
        return Done(f"Refused: {exc.message}", "rejected")
    write_json(work.proposal, bundle.model_dump(mode="json"))
    changed = list(differences(champion.settings, bundle.settings))
    for line in changed:
        say(line)
    return Done(f"{bundle.release} differs from {champion.release} in {len(changed)} settings; {done.says}")


def nothing_to_train(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """The reader stays as it is."""
    return Done("Nothing to train: only settings change")
