"""From what a person wants changed to a release that can be tried."""

from collections.abc import Mapping
from typing import Any

from opskit.contracts.releases import ReleaseBundle
from opskit.errors import InvalidRequest

from trainer.errors import NotPossible
from trainer.improvement.proposing import merged, proposed, refusal
from trainer.improvement.releases import champion_of
from trainer.ports import Answers, ReleaseStore


def answering(answers: Answers, releases: ReleaseStore) -> ReleaseBundle:
    """The release that answers now. Raises Unavailable."""
    champion = champion_of(releases.all())
    return champion.bundle if champion and champion.bundle else answers.start_release()


def proposal(
    champion: ReleaseBundle, changes: Mapping[str, Any], answers: Answers, releases: ReleaseStore
) -> ReleaseBundle:
    """The champion with these changes of its settings. rag says whether they are right: it owns their meaning.

    Raises:
        InvalidRequest: a name, a type or a value is wrong, or nothing would change.
        NotPossible: that release had its turn already.
        Unavailable: rag cannot be asked.
    """
    bundle = proposed(champion, answers.checked(merged(champion.settings, changes)))
    if why := refusal(bundle, champion, releases.all()):
        if bundle.release == champion.release:
            raise InvalidRequest(why, param="settings")
        raise NotPossible(why)
    return bundle
