"""Each kind of mistake is made on purpose, and a check must see it: a check that sees nothing proves nothing."""

import pytest

from tests.manifests.broken_pods import PODS
from tests.manifests.broken_references import REFERENCES
from tests.manifests.checks import CHECKS
from tests.manifests.rendering import overlay

BREAKS = {**REFERENCES, **PODS}


@pytest.mark.parametrize("what", BREAKS)
def test_a_mistake_is_seen(what: str) -> None:
    check, says, make = BREAKS[what]
    objects = overlay("staging")
    make(objects)
    problems = CHECKS[check](objects)
    assert any(says in problem for problem in problems), problems


def test_every_check_is_proven_by_a_mistake() -> None:
    assert {one.check for one in BREAKS.values()} == set(CHECKS)
