"""Argo CD is told of everything, may do what it is told, and in the right order."""

import re
from collections.abc import Iterator

import pytest
import yaml

from tests.manifests.pods import selects
from tests.manifests.rendering import CHECKOUT, K8S, OVERLAYS, Manifest, Objects, named, of_kind, overlay, read, render

OURS = "https://git.example.com/nexus.git"
WAVES = ["operator-cloudnative-pg", "nexus-minio", "nexus-dev", "nexus-dashboards"]
"""One of each: operators, stores, services, what is looked at."""


@pytest.fixture
def argocd() -> Objects:
    return render(K8S / "argocd")


def applications(objects: Objects) -> Iterator[Manifest]:
    """All of them, those of the sets for each environment that wants them."""
    yield from of_kind(objects, "Application")
    for one in of_kind(objects, "ApplicationSet"):
        selector = one["spec"]["generators"][0]["selector"]
        for environment in OVERLAYS:
            (about,) = read((K8S / "overlays" / environment / "environment.yaml").read_text())
            parameters = {f"stores.{name}": wanted for name, wanted in about["stores"].items()}
            if selects(selector, parameters):
                text = yaml.safe_dump(one["spec"]["template"]).replace("{{ .name }}", about["name"])
                yield {"kind": "Application", **yaml.safe_load(text)}


def wave(one: Manifest) -> int:
    return int(one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])


def test_every_environment_is_delivered(argocd: Objects) -> None:
    paths = {one["spec"]["source"].get("path") for one in of_kind(argocd, "Application")}
    assert {f"k8s/overlays/{name}" for name in OVERLAYS} <= paths


def test_every_path_that_is_delivered_exists(argocd: Objects) -> None:
    for one in applications(argocd):
        if path := one["spec"]["source"].get("path"):
            assert (CHECKOUT / path / "kustomization.yaml").exists(), path


def test_what_differs_from_git_is_put_back_and_what_is_gone_from_it_goes(argocd: Objects) -> None:
    for one in applications(argocd):
        assert one["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}, one["metadata"]["name"]


def test_charts_are_pinned_to_one_version(argocd: Objects) -> None:
    charts = [one["spec"]["source"] for one in applications(argocd) if "chart" in one["spec"]["source"]]
    assert len(charts) >= 9
    for source in charts:
        assert re.fullmatch(r"\d+\.\d+\.\d+", source["targetRevision"]), source
        assert "bitnami" not in yaml.safe_dump(source).lower()


def test_a_project_allows_what_its_applications_are(argocd: Objects) -> None:
    projects = {one["metadata"]["name"]: one["spec"] for one in of_kind(argocd, "AppProject")}
    for one in applications(argocd):
        spec = one["spec"]
        project = projects[spec["project"]]
        assert spec["source"]["repoURL"] in project["sourceRepos"], one["metadata"]["name"]
        namespace = spec["destination"]["namespace"]
        assert any(_fits(allowed["namespace"], namespace) for allowed in project["destinations"]), namespace


def _fits(pattern: str, namespace: str) -> bool:
    return re.fullmatch(pattern.replace("*", ".*"), namespace) is not None


def test_environments_may_change_nothing_of_the_cluster_but_their_namespaces(argocd: Objects) -> None:
    allowed = named(argocd, "AppProject", "nexus")["spec"]["clusterResourceWhitelist"]
    assert allowed == [{"group": "", "kind": "Namespace"}]
    for name in OVERLAYS:
        of_the_cluster = {one["kind"] for one in overlay(name) if "namespace" not in one["metadata"]}
        assert of_the_cluster == {"Namespace"}


def test_operators_come_before_stores_before_services_before_what_is_looked_at(argocd: Objects) -> None:
    waves = [wave(next(one for one in argocd if one["metadata"]["name"] == name)) for name in WAVES]
    assert waves == sorted(set(waves))
    assert all(wave(one) < waves[0] for one in of_kind(argocd, "AppProject"))


def test_within_an_environment_stores_come_before_services_before_monitors_before_hooks() -> None:
    objects = overlay("dev")
    kinds = [("NetworkPolicy", "default-deny"), ("StatefulSet", "etcd"), ("Milvus", "nexus")]
    early = [wave(named(objects, *one)) for one in kinds]
    assert early == sorted(early)
    assert all(number < 0 for number in early)
    assert "argocd.argoproj.io/sync-wave" not in named(objects, "Deployment", "gateway")["metadata"].get(
        "annotations", {}
    )
    assert wave(named(objects, "Prometheus", "nexus")) > 0
    release, smoke = named(objects, "Job", "release"), named(objects, "Job", "smoke")
    for hook in (release, smoke):
        assert hook["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PostSync"
    assert wave(release) < wave(smoke)


def test_all_that_is_ours_follows_one_repository(argocd: Objects) -> None:
    (told,) = (one["data"] for one in of_kind(argocd, "ConfigMap"))
    assert told == {"URL": OURS, "REVISION": "main"}
    for one in of_kind(argocd, "Application"):
        source = one["spec"]["source"]
        assert (source["repoURL"] == OURS) == ("path" in source), one["metadata"]["name"]
    for one in of_kind(argocd, "ApplicationSet"):
        assert one["spec"]["generators"][0]["git"]["repoURL"] == OURS


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_environment_has_a_chart_for_each_store_that_nobody_else_runs(name: str) -> None:
    (about,) = read((K8S / "overlays" / name / "environment.yaml").read_text())
    policies = {one["metadata"]["name"] for one in of_kind(overlay(name), "NetworkPolicy")}
    assert about["name"] == name
    assert {store for store, wanted in about["stores"].items() if wanted == "yes"} == policies & {"minio", "redis"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_promotion_changes_one_line(name: str) -> None:
    lines = (K8S / "overlays" / name / "release.env").read_text().splitlines()
    (release,) = (line for line in lines if line.startswith("RELEASE="))
    assert re.fullmatch(r"RELEASE=(own|rel_[A-Za-z0-9]{1,64})", release)
    settings = [
        one for one in of_kind(overlay(name), "ConfigMap") if one["metadata"]["name"].startswith("nexus-release")
    ]
    assert [one["data"]["RELEASE"] for one in settings] == [release.partition("=")[2]]


def test_each_environment_takes_its_release_from_the_one_before() -> None:
    registries = {
        name: next(
            line for line in (K8S / "overlays" / name / "release.env").read_text().splitlines() if "REGISTRY=" in line
        )
        for name in ("staging", "prod")
    }
    assert registries == {
        "staging": "REGISTRY=http://mlflow.nexus-dev:5000",
        "prod": "REGISTRY=http://mlflow.nexus-staging:5000",
    }


def test_secrets_are_the_same_from_a_store_and_from_the_script() -> None:
    from tests.manifests.promised import made_secrets, secret_keys

    stored = secret_keys(overlay("staging"))
    assert {name: set(values) for name, values in made_secrets().items()} == {
        name: keys for name, keys in stored.items() if not name.endswith("-tls")
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_workflows_are_told_what_services_are(name: str) -> None:
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(overlay(name), "ConfigMap")}
    (services,) = (data for key, data in maps.items() if key.startswith("nexus-settings"))
    assert maps["nexus-workflow-settings"] == services
