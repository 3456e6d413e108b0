"""Workflows, tested like code: they are what Argo understands, and everything that they mention is there. Each check is
shown to find what it is for."""

import copy
import json
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml
from ingest.settings import Settings as IngestSettings
from opskit.contracts.runs import RunOrder
from trainer.improvement.stages import Stage
from trainer.settings import Settings as TrainerSettings
from trainer.steps.workspace import Workspace

from tests.manifests.argo_access import account_flaws, storage_flaws
from tests.manifests.argo_commands import command_flaws, command_lines
from tests.manifests.argo_objects import FOLDER, WORKFLOWS, argo_objects, pods_of_workflows
from tests.manifests.argo_references import workflow_flaws
from tests.manifests.rendering import named, of_kind, render
from tests.manifests.schemas import DEFINITIONS, VERSIONS, problems_of_built_in, problems_of_custom

OF_THE_BASE = {
    "ConfigMap": {"nexus-workflow-settings": set()},
    "PersistentVolumeClaim": {"serving": set(), "runs": set(), "models": set()},
    "Secret": {
        "nexus-trainer": set(),
        "nexus-ingest": set(),
        "nexus-argo-events": {"nexus_argo_events_token", "nexus_s3_access_key", "nexus_s3_secret_key"},
    },
}
"""What k8s/base and the secrets of an environment hold."""
OF_SERVING = {"NEXUS_STATE_DIR", "NEXUS_CACHE_DIR"}
"""What nexus_serving.layout reads."""
RETRAINING, INGESTION = "llm-retraining-pipeline", "vector-ingestion-pipeline"


@pytest.fixture
def objects() -> list:
    return argo_objects()


def edited(objects: list, kind: str, name: str, before: str, after: str) -> list:
    """The same, with a word of one object replaced wherever it stands."""
    one = named(objects, kind, name)
    text = json.dumps(one)
    assert before in text, f"{before} is not in {name}"
    return [json.loads(text.replace(before, after)) if other is one else other for other in objects]


class TestEverythingIsThere:
    def test_that_workflows_mention(self, objects):
        assert workflow_flaws(objects) == []

    def test_that_is_asked_of_our_programs(self, objects):
        assert command_flaws(objects) == []

    def test_accounts_and_what_they_may(self, objects):
        assert account_flaws(objects) == []

    def test_secrets_settings_and_claims(self, objects):
        assert storage_flaws(objects, OF_THE_BASE) == []

    def test_variables_in_the_settings_of_who_reads_them(self, objects):
        for pod in pods_of_workflows(objects):
            spec = pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"]
            for container in spec["containers"]:
                settings = IngestSettings if "ingest" in container["image"] else TrainerSettings
                known = OF_SERVING | {f"NEXUS_{name.upper()}" for name in settings.model_fields}
                named = {one["name"] for one in container.get("env", []) if one["name"].startswith("NEXUS_")}
                assert named <= known, pod["metadata"]["name"]


class TestTheRetrainingPipeline:
    def test_does_all_stages_in_their_order(self, objects):
        tasks = named(objects, "WorkflowTemplate", RETRAINING)["spec"]["templates"][0]["dag"]["tasks"]
        chain = [task for task in tasks if task["name"] != "join-tuning"]
        assert [task["name"] for task in chain] == ["accept", *Stage]
        assert [task.get("depends") for task in chain[1:]] == [f"{task['name']}.Succeeded" for task in chain[:-1]]
        lines = {owner.partition("/")[2]: words for owner, words in command_lines(objects)}
        assert [lines[stage][3] for stage in Stage] == list(Stage)

    def test_keeps_files_that_stages_leave(self, objects, tmp_path):
        work = Workspace(tmp_path)
        left = {work.data_report, work.verdict, work.tracking, *(work.log(stage) for stage in Stage)}
        left |= {work.evaluation(name) for name in ("gold", "specific", "hallucination", "factcheck", "subjects")}
        names = {str(path.relative_to(tmp_path)) for path in left}
        tasks = named(objects, "WorkflowTemplate", RETRAINING)["spec"]["templates"][0]["dag"]["tasks"]
        kept = [
            one["value"]
            for task in tasks
            for one in task.get("arguments", {}).get("parameters", [])
            if one["name"] == "leaves"
        ]
        assert len(kept) == len(Stage) - 1
        assert set(kept) <= names

    def test_goes_only_on_while_the_run_is_under_way(self, objects):
        tasks = named(objects, "WorkflowTemplate", RETRAINING)["spec"]["templates"][0]["dag"]["tasks"]
        assert all(task["when"].endswith("== 'under-way'") for task in tasks[1:])

    def test_runs_once_at_a_time_and_tells_its_end(self, objects):
        spec = named(objects, "WorkflowTemplate", RETRAINING)["spec"]
        assert spec["synchronization"] == {"mutexes": [{"name": "llm-retraining"}]}
        assert spec["onExit"] == "report-end"

    def test_leaves_a_deployment_more_time_than_its_canary_takes(self, objects):
        tasks = named(objects, "WorkflowTemplate", RETRAINING)["spec"]["templates"][0]["dag"]["tasks"]
        given = {one["name"]: one["value"] for one in tasks[-1]["arguments"]["parameters"]}
        canary = TrainerSettings.model_fields["canary_deadline"].default
        assert int(given["deadline"]) > canary.total_seconds()

    def test_has_the_same_names_in_an_order_as_alert_bridge(self):
        assert {"run_id", "target", "incident", "alertname", "reason"} <= RunOrder.model_fields.keys()


@pytest.mark.parametrize("pod", pods_of_workflows(argo_objects()), ids=lambda pod: pod["metadata"]["name"])
class TestEveryPod:
    def test_is_what_kubernetes_understands(self, pod):
        assert [problem for version in VERSIONS for problem in problems_of_built_in(pod, version)] == []

    def test_is_restricted(self, pod):
        spec = pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }

    def test_says_what_it_needs_and_takes_at_most(self, pod):
        spec = pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"]
        for container in spec["containers"]:
            for share in ("requests", "limits"):
                assert {"cpu", "memory"} <= container["resources"][share].keys()


def test_argos_own_containers_are_restricted_too(objects):
    for one in of_kind(objects, *WORKFLOWS):
        spec = one["spec"].get("workflowSpec", one["spec"])
        if "podSpecPatch" not in spec:
            assert one["metadata"]["name"] == "distributed-tuning", "its only pod is Argo's own, which Argo locks down"
            continue
        patch = yaml.safe_load(spec["podSpecPatch"])
        for container in (*patch["initContainers"], *patch["containers"]):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="Argo's definitions are not beside the checkout")
class TestArgosDefinitions:
    @pytest.mark.parametrize("kind", WORKFLOWS)
    def test_are_kept(self, objects, kind):
        found = of_kind(objects, kind)
        assert found
        assert {one["metadata"]["name"]: list(problems_of_custom(one)) for one in found} == {
            one["metadata"]["name"]: [] for one in found
        }

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ('"depends"', '"dependsOn"'),
            ('"retryStrategy"', '"retries"'),
            ('"valueFrom"', '"valuesFrom"'),
            ('"60"', "6.5"),
        ],
    )
    def test_find_a_misspelt_key_and_a_wrong_type(self, objects, before, after):
        broken = edited(objects, "WorkflowTemplate", RETRAINING, before, after)
        assert list(problems_of_custom(named(broken, "WorkflowTemplate", RETRAINING)))


class TestTheChecksFind:
    @pytest.mark.parametrize(
        ("name", "before", "after", "flaw"),
        [
            (
                RETRAINING,
                '"entrypoint": "retrain"',
                '"entrypoint": "train-again"',
                "entrypoint: there is no template train-again",
            ),
            (RETRAINING, '"onExit": "report-end"', '"onExit": "tell"', "onExit: there is no template tell"),
            (RETRAINING, '"template": "train"', '"template": "tran"', "runs a template that there is not"),
            (RETRAINING, '"name": "distributed-tuning"', '"name": "distributed"', "runs a template that there is not"),
            (RETRAINING, "gate.Succeeded", "gates.Succeeded", "depends on gates"),
            (RETRAINING, "tasks.gate.outputs", "tasks.gates.outputs", "nothing before it is called {{tasks.gates"),
            (
                RETRAINING,
                "tasks.accept.outputs.parameters.outcome",
                "tasks.log-model.outputs.parameters.outcome",
                "nothing before it",
            ),
            (RETRAINING, "outputs.parameters.outcome", "outputs.parameters.result", "nothing before it is called"),
            (
                RETRAINING,
                "workflow.parameters.run-id",
                "workflow.parameters.run",
                "nothing is called {{workflow.parameters.run}}",
            ),
            (
                RETRAINING,
                "inputs.parameters.stage",
                "inputs.parameters.step",
                "nothing is called {{inputs.parameters.step}}",
            ),
            (
                RETRAINING,
                '{"name": "stage", "value": "gate"}',
                '{"name": "stages", "value": "gate"}',
                "gives parameters stages",
            ),
            (RETRAINING, '{"name": "stage", "value": "gate"}, ', "", "task gate does not give parameters stage"),
            (
                RETRAINING,
                "{{workflow.parameters.order}}",
                "{{workflow.status}}",
                "nothing is called {{workflow.status}}",
            ),
            (
                RETRAINING,
                '"path": "/tmp/outcome"',
                '"path": "/tmp/outcomes"',
                "no argument of the command names the file",
            ),
            (RETRAINING, '"mountPath": "/var/lib/nexus/runs"', '"mountPath": "/runs"', "is on no volume"),
            (
                RETRAINING,
                '{"name": "runs", "persistentVolumeClaim"',
                '{"name": "run", "persistentVolumeClaim"',
                "there is no volume runs",
            ),
            (INGESTION, "outputs.artifacts.vectors", "outputs.artifacts.vector", "nothing before it is called"),
            (
                INGESTION,
                '"path": "/tmp/in/document.json"',
                '"path": "/tmp/document.in"',
                "no argument of the command names the file",
            ),
        ],
    )
    def test_a_reference_that_leads_nowhere(self, objects, name, before, after, flaw):
        flaws = workflow_flaws(edited(objects, "WorkflowTemplate", name, before, after))
        assert any(flaw in one for one in flaws), flaws

    @pytest.mark.parametrize(
        ("name", "before", "after", "flaw"),
        [
            (RETRAINING, '"value": "gate"', '"value": "gates"', "python -m trainer has no sub-command gates"),
            (
                RETRAINING,
                '"retrain-model", "--run',
                '"train-model", "--run',
                "python -m trainer has no sub-command train-model",
            ),
            (RETRAINING, "--status=", "--state=", "python -m trainer report-end has no option --state"),
            (RETRAINING, "--status=", "--run=", "python -m trainer report-end needs --status"),
            (INGESTION, "--encoded", "--decoded", "python -m ingest load-document has no option --decoded"),
            (INGESTION, '["python", "-m", "ingest"]', '["ingest"]', "nobody knows what ingest load-document"),
            ("distributed-tuning", "join-tuning", "joins", "python -m trainer has no sub-command joins"),
        ],
    )
    def test_a_command_that_there_is_not(self, objects, name, before, after, flaw):
        flaws = command_flaws(edited(objects, "WorkflowTemplate", name, before, after))
        assert any(flaw in one for one in flaws), flaws

    @pytest.mark.parametrize(
        ("kind", "name", "before", "after", "flaw"),
        [
            (
                "ServiceAccount",
                "retraining-workflow",
                "retraining-workflow",
                "retrain",
                "there is no ServiceAccount retraining-workflow",
            ),
            (
                "ServiceAccount",
                "retraining-workflow",
                "retraining-workflow",
                "retrain",
                "ServiceAccount retrain is nobody's",
            ),
            (
                "RoleBinding",
                "workflow-executor",
                "ingestion-workflow",
                "documents-sensor",
                "ingestion-workflow may not write",
            ),
            ("Role", "workflow-executor", "patch", "get", "may not write workflowtaskresults"),
            ("Role", "tuning-jobs", "tuning-jobs", "jobs", "there is no Role tuning-jobs"),
        ],
    )
    def test_an_account_that_is_missing_or_may_not(self, objects, kind, name, before, after, flaw):
        flaws = account_flaws(edited(objects, kind, name, before, after))
        assert any(flaw in one for one in flaws), flaws

    @pytest.mark.parametrize("kind", OF_THE_BASE)
    def test_what_an_environment_does_not_hold(self, objects, kind):
        for name in OF_THE_BASE[kind]:
            less = copy.deepcopy(OF_THE_BASE)
            del less[kind][name]
            assert any(f"there is no {kind} {name}" in one for one in storage_flaws(objects, less))

    def test_a_key_that_a_secret_does_not_have(self, objects):
        less = copy.deepcopy(OF_THE_BASE)
        less["Secret"]["nexus-argo-events"].remove("nexus_s3_secret_key")
        assert "artifact-repositories: Secret nexus-argo-events has no key nexus_s3_secret_key" in storage_flaws(
            objects, less
        )

    def test_a_limit_that_is_not_set(self, objects):
        broken = edited(objects, "ConfigMap", "ingestion-limits", '"workflows"', '"flows"')
        assert storage_flaws(broken, OF_THE_BASE) == [f"{INGESTION}: ConfigMap ingestion-limits has no key workflows"]


def test_an_environment_that_pins_images_pins_those_of_workflows_too():
    pinned = {name: f"registry.example.com/nexus/{name}@sha256:{'a' * 64}" for name in ("ingest", "trainer")}
    images = [
        {"name": f"nexus/{name}", "newName": image.partition("@")[0], "digest": image.partition("@")[2]}
        for name, image in pinned.items()
    ]
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix=".made-by-a-test-") as folder:
        shutil.copy(FOLDER / "image-fields.yaml", folder)
        content = {"configurations": ["image-fields.yaml"], "images": images, "resources": ["../argo"]}
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(content))
        objects = render(Path(folder))
    found = {
        container["image"]
        for pod in pods_of_workflows(objects)
        for container in (pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"])["containers"]
    }
    assert found == set(pinned.values())
