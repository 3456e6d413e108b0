"""The words for runs, releases and incidents. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from ui.improvement import Incident, Release, Run, Votes
from ui.safe_text import label


class Badge(NamedTuple):
    """A state as it is shown: a picture, a colour and a word."""

    icon: str
    color: str
    word: str

    @property
    def markdown(self) -> str:
        """For markdown and for labels."""
        return f":{self.color}-badge[:material/{self.icon}: {label(self.word)}]"


OUTCOMES = {
    "promoted": Badge("check_circle", "green", "Promoted"),
    "rejected": Badge("block", "orange", "Rejected"),
    "rolled_back": Badge("undo", "orange", "Rolled back"),
    "failed": Badge("error", "red", "Failed"),
    "no_data": Badge("hourglass_empty", "gray", "Too little to learn from"),
    "cancelled": Badge("cancel", "gray", "Cancelled"),
}
OUTCOMES_EXPLAINED = {
    "promoted": "The new release was better, held up under real questions, and answers now.",
    "rejected": "The new model was not better in every respect that counts, so it never answered anybody.",
    "rolled_back": "The new release did worse under real questions, or somebody withdrew it.",
    "failed": "A stage did not get through. What answers stayed as it was.",
    "no_data": "There were too few votes with corrections since the last run.",
    "cancelled": "Somebody stopped it.",
}
UNDER_WAY = Badge("autorenew", "blue", "Under way")
QUEUED = Badge("schedule", "gray", "Waits its turn")

STATES = {
    "seen": Badge("visibility", "gray", "Seen"),
    "start": Badge("flag", "gray", "First release"),
    "candidate": Badge("pending", "gray", "Made, not tried yet"),
    "rejected": Badge("block", "orange", "Rejected"),
    "challenger": Badge("science", "blue", "Being tried"),
    "champion": Badge("check_circle", "green", "Answers now"),
    "retired": Badge("history", "gray", "Answered before"),
    "rolled_back": Badge("undo", "orange", "Rolled back"),
}
STATES_EXPLAINED = {
    "seen": "It answered once, which is all that is known of it.",
    "start": "The platform came with it. One can always go back to it.",
    "candidate": "A run made it. It has answered nobody yet.",
    "rejected": "It was not better in every respect that counts. That is final.",
    "challenger": "It answers a share of the conversations and is watched (the *challenger*).",
    "champion": "It answers the conversations (the *champion*).",
    "retired": "It answered until another took its place. It may come back.",
    "rolled_back": "It was withdrawn. That is final.",
}

DECISIONS = {
    "started": Badge("play_circle", "blue", "Started a run"),
    "joined": Badge("merge", "blue", "Joined a run"),
    "cooldown": Badge("hourglass_top", "gray", "Waits"),
    "resolved": Badge("check", "gray", "Over by itself"),
    "ignored": Badge("do_not_disturb_on", "gray", "Nothing to do"),
}
FIRING = Badge("notifications_active", "red", "Firing")
RESOLVED = Badge("check", "green", "Resolved")

STAGES = {
    "prepare-data": "Gather what people voted and corrected",
    "retrain-model": "Train the model on it",
    "benchmark-model-gold": "Ask both models general questions",
    "benchmark-model-specific": "Ask both what your users asked",
    "hallucination-evaluation": "See whether they make things up",
    "factcheck-evaluation": "Check answers against the documents",
    "subject-matter-evaluation": "Compare subject by subject",
    "log-model-metrics": "Write the figures down",
    "gate": "Decide whether it may answer people",
    "log-model": "Keep it as a release",
    "model-deployment": "Try it on a share of conversations",
}

FIGURES = {
    "specific": "What your users asked, kept out of training",
    "gold": "General questions",
    "gold, unanswerable refused": "Refuses where there is no answer",
    "gold, answerable refused": "Refuses although there is an answer (less is better)",
    "supported by what it cites": "Words backed by what it quotes",
    "contradicts the documents": "Says something else than the documents (less is better)",
    "free of personal data of its own": "Free of personal data that no document has",
    "worst subject": "The subject that lost most",
    "seconds of an answer, 95th percentile": "Seconds within which 95 of 100 answers come",
}

PARTS = {
    "base": "Trained from model",
    "base_release": "Trained from release",
    "reader": "Model",
    "adapter": "What training added",
    "prompt": "Instructions to the model",
    "embedder": "Search model",
    "data": "Training data",
    "evaluation": "Verdict",
    "git_commit": "Source code",
}


def known(badges: Mapping[str, Badge], name: str) -> Badge:
    """The badge of that name, or a plain one with the name itself: a newer platform may know more."""
    return badges.get(name, Badge("help", "gray", name.replace("_", " ")))


def run_badge(run: Run) -> Badge:
    """How a run stands."""
    if run.outcome is not None:
        return known(OUTCOMES, run.outcome)
    return UNDER_WAY if run.stages else QUEUED


def release_badge(release: Release) -> Badge:
    """What a release does now; the first release answers while there is no other champion."""
    return known(STATES, release.alias or release.state)


def short(name: str) -> str:
    """An id, cut so that people can tell it from others."""
    kind, _, digits = name.partition("_")
    return f"{kind}_{digits[:7]}" if digits else name[:12]


def stage_name(stage: str) -> str:
    """What is done in a stage."""
    return STAGES.get(stage, stage)


def why_run(run: Run) -> str:
    """What a run was started for, in a few words."""
    return run.alertname or run.reason or "no reason given"


def votes(given: Votes) -> str:
    """`12 up, 3 down`."""
    return f"{given.up:,} up, {given.down:,} down" if given.up or given.down else "no votes yet"


def firing(incident: Incident) -> Badge:
    """Whether the alert still fires."""
    return FIRING if incident.status == "firing" else RESOLVED


def percent(share: float) -> str:
    """`12%`, as the platform writes it in its own sentences."""
    return f"{share * 100:.3g}%"


def rollback_means(releases: list[Release]) -> str | None:
    """What rolling back would do now; None where there is nothing to go back from."""
    challenger = next((one for one in releases if one.alias == "challenger"), None)
    champion = next((one for one in releases if one.alias == "champion"), None)
    if challenger is not None:
        stays = f"{label(short(champion.id))} answers alone again" if champion else "It answers nobody any more"
        return (
            f"**{label(short(challenger.id))}**, which is being tried on {percent(challenger.share)} of the "
            f"conversations, is withdrawn for good. {stays}."
        )
    if champion is None or champion.state != "champion":
        return None
    name = label(short(champion.id))
    return (
        f"**{name}** stops answering, and the release that answered before it takes over again. {name} stays in the "
        "list and may be promoted once more."
    )
