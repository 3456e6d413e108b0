"""Releases that differ from the champion in settings alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opskit.contracts.releases import ReleaseBundle, release_id

from trainer.improvement.releases import Release, State

_MAY_BE_TRIED = frozenset({State.SEEN, State.CANDIDATE, State.CHALLENGER})
"""What was seen was never tried, a candidate's run may have broken off, and a challenger's own run goes on with it."""


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the changes put in, name by name and however deep. Names that are new are kept too: whoever
    knows the settings says which do not exist."""
    made = dict(settings)
    for name, value in changes.items():
        before = made.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        made[name] = merged(before, value) if both else value  # type: ignore[arg-type]
    return made


def proposed(champion: ReleaseBundle, settings: Mapping[str, Any]) -> ReleaseBundle:
    """The champion's models with other settings."""
    release = release_id(champion.reader_digest, dict(settings), champion.embedder_fingerprint)
    return champion.model_copy(update={"release": release, "settings": dict(settings)})


def refusal(bundle: ReleaseBundle, champion: ReleaseBundle, releases: Sequence[Release]) -> str:
    """Why there is nothing to be tried; empty when there is."""
    if bundle.release == champion.release:
        return f"These are the settings of {champion.release}, which answers now: nothing would change."
    known = next((one for one in releases if one.id == bundle.release), None)
    if known is None or known.state in _MAY_BE_TRIED:
        return ""
    if known.state in (State.START, State.RETIRED):
        return f"These are the settings of {known.id}, which has answered before: promote it instead."
    return f"These are the settings of {known.id}, which is {known.state.replace('_', ' ')}: change something else."


def differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Each setting that is another one now, in a line."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{path}{name}.")
        elif old != new:
            yield f"{path}{name}: {_short(old)} → {_short(new)}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
