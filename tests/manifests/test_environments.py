"""Every environment, and every combination of components, renders to what Kubernetes and the operators understand, and
holds together. What holds together means is in `checks.py`; `test_mutations.py` proves that the checks see a break.
"""

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations

import pytest

from tests.manifests import schemas
from tests.manifests.checks import CHECKS
from tests.manifests.rendering import COMPONENTS, K8S, OVERLAYS, Manifest, Objects, combined, overlay, render

DASHBOARDS = K8S.parent / "monitoring" / "dashboards"
OTHERS = {"Argo CD": K8S / "argocd", "platform": K8S / "platform", "dashboards": DASHBOARDS}
SETS = [set(), *({one} for one in COMPONENTS), *(set(two) for two in combinations(COMPONENTS, 2)), set(COMPONENTS)]


@cache
def everything() -> dict[str, Manifest]:
    """Every different object of all environments and all components, by its own text."""
    with combined(COMPONENTS) as folder:
        all_components = render(folder)
    rendered = chain(all_components, *(overlay(name) for name in OVERLAYS), *(render(one) for one in OTHERS.values()))
    return {json.dumps(one, sort_keys=True): one for one in rendered}


NEED_A_SECRET_STORE = {"external-postgres", "external-redis"}
"""The script makes up secrets for stores of one's own alone."""


def objects_of(components: set[str]) -> Objects:
    if components & NEED_A_SECRET_STORE:
        components = {*components, "external-secrets"}
    with combined(sorted(components)) as folder:
        return render(folder)


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("check", CHECKS)
def test_an_environment_holds_together(name: str, check: str) -> None:
    assert CHECKS[check](overlay(name)) == []


@pytest.mark.parametrize("components", SETS, ids=lambda components: "+".join(sorted(components)) or "none")
def test_components_hold_together_in_every_combination(components: set[str]) -> None:
    objects = objects_of(components)
    wrong = {name: problems for name, check in CHECKS.items() if (problems := check(objects))}
    assert wrong == {}


@pytest.mark.parametrize("version", schemas.VERSIONS)
def test_kubernetes_understands_everything(version: str) -> None:
    built_in = [one for one in everything().values() if not schemas.is_custom(one)]
    assert len(built_in) > 100
    assert list(chain.from_iterable(schemas.problems_of_built_in(one, version) for one in built_in)) == []


def test_operators_understand_their_own_kinds() -> None:
    if not schemas.DEFINITIONS.is_dir():
        pytest.skip(f"the operators' definitions are not in {schemas.DEFINITIONS}")
    custom = [one for one in everything().values() if schemas.is_custom(one)]
    known = [one for one in custom if one["apiVersion"].partition("/")[0] not in schemas.UNKNOWN_MAKERS]
    assert len(known) > 30
    assert list(_problems(known)) == []


def _problems(objects: Objects) -> Iterator[str]:
    for one in objects:
        yield from schemas.problems_of_custom(one)


def test_a_typing_mistake_in_a_custom_kind_is_seen() -> None:
    if not schemas.DEFINITIONS.is_dir():
        pytest.skip(f"the operators' definitions are not in {schemas.DEFINITIONS}")
    monitor = next(one for one in overlay("dev") if one["kind"] == "ServiceMonitor")
    monitor["spec"]["endpoint"] = monitor["spec"]["endpoints"]
    assert any("'endpoint' was unexpected" in problem for problem in schemas.problems_of_custom(monitor))
