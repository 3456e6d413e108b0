"""The runner of workflows, on small workflows whose containers are functions: it does what Argo's controller does, and
refuses what it does not know."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.manifests.argo_expressions import Unsupported, holds, is_met
from tests.manifests.argo_processes import Processes
from tests.manifests.argo_runner import Ended, Pod, Runner, Workflow

DIAMOND = """
entrypoint: all
onExit: tell
arguments: {parameters: [{name: who}, {name: how, value: gently}]}
templateDefaults: {container: {command: [do], env: [{name: A, value: a}, {name: B, value: b}]}}
templates:
  - name: all
    dag:
      tasks:
        - {name: first, template: work, arguments: {parameters: [{name: what, value: "{{workflow.parameters.how}}"}]}}
        - name: left
          template: work
          depends: first.Succeeded
          when: "'{{tasks.first.outputs.parameters.state}}' == 'go'"
          arguments: {parameters: [{name: what, value: left}]}
        - name: right
          template: work
          depends: first.Succeeded && left.Skipped
          arguments: {parameters: [{name: what, value: right}]}
        - name: last
          template: use
          depends: left.Succeeded
          arguments: {artifacts: [{name: paper, from: "{{tasks.first.outputs.artifacts.paper}}"}]}
  - name: work
    inputs: {parameters: [{name: what}]}
    container: {args: ["{{inputs.parameters.what}}"], env: [{name: B, value: "{{workflow.name}}"}]}
    outputs:
      parameters: [{name: state, valueFrom: {path: /tmp/state}}]
      artifacts: [{name: paper, path: /tmp/paper, optional: true, archive: {none: {}}}]
  - name: use
    inputs: {artifacts: [{name: paper, path: /tmp/in/paper}]}
    container: {args: [use]}
  - name: tell
    container: {args: ["{{workflow.status}}"]}
"""
RETRIED = """
entrypoint: try
templates:
  - name: try
    retryStrategy:
      limit: "3"
      expression: lastRetry.exitCode in ['75'] || lastRetry.status == 'Error'
      backoff: {duration: 10s, factor: 2, cap: 15s}
    container: {command: [try]}
"""


class Cluster:
    """Containers that do what a test says: `ends` are exit codes by argument, one for each attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pods: list[Pod] = []
        self.ends: dict[str, list[int]] = {}
        self.writes: dict[str, str] = {}
        self.pauses: list[float] = []

    def __call__(self, pod: Pod) -> Ended:
        self.pods.append(pod)
        said = (pod.container.get("args") or ["try"])[0]
        for path, content in self.writes.items():
            (pod.folder / "tmp").mkdir(exist_ok=True)
            (pod.folder / path.lstrip("/")).write_text(content)
        codes = self.ends.get(said, [0])
        return Ended(codes.pop(0) if len(codes) > 1 else codes[0], lambda path: pod.folder / path.lstrip("/"))

    def run(self, spec: str, name: str = "workflow", **parameters: str) -> Workflow:
        manifest = {"kind": "WorkflowTemplate", "spec": yaml.safe_load(spec)}
        runner = Runner({"it": manifest}, self, self.folder, pause=self.pauses.append)
        return runner.run("it", parameters, name=name)

    @property
    def said(self) -> list[str]:
        return [pod.container["args"][0] for pod in self.pods]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    made = Cluster(tmp_path)
    made.writes = {"/tmp/state": "go", "/tmp/paper": "read me"}
    return made


class TestAGraph:
    def test_goes_where_its_conditions_lead_and_ends_with_the_exit_handler(self, cluster):
        done = cluster.run(DIAMOND, who="me")
        assert cluster.said == ["gently", "left", "use", "Succeeded"]
        assert done.phases | {"workflow": "Succeeded"} == {
            "first": "Succeeded",
            "left": "Succeeded",
            "right": "Omitted",
            "last": "Succeeded",
            "workflow": "Succeeded",
            "workflow.onExit": "Succeeded",
        }

    def test_skips_what_a_condition_forbids_and_omits_what_depends_on_it(self, cluster):
        cluster.writes["/tmp/state"] = "stop"
        done = cluster.run(DIAMOND, who="me")
        assert cluster.said == ["gently", "right", "Succeeded"]
        assert (done.phases["left"], done.phases["last"], done.status) == ("Skipped", "Omitted", "Succeeded")

    def test_fails_with_its_tasks_and_tells_the_exit_handler(self, cluster):
        cluster.ends["gently"] = [3]
        done = cluster.run(DIAMOND, who="me")
        assert (done.status, cluster.said) == ("Failed", ["gently", "Failed"])

    def test_hands_artifacts_on(self, cluster):
        cluster.run(DIAMOND, who="me")
        (use,) = [pod for pod in cluster.pods if pod.container["args"] == ["use"]]
        assert (use.folder / "tmp/in/paper").read_text() == "read me"

    def test_puts_the_defaults_under_what_a_template_says(self, cluster):
        cluster.run(DIAMOND, who="me")
        assert cluster.pods[0].container["command"] == ["do"]
        assert cluster.pods[0].container["env"] == [{"name": "A", "value": "a"}, {"name": "B", "value": "workflow"}]

    def test_wants_its_parameters(self, cluster):
        with pytest.raises(Unsupported, match="without its parameters who"):
            cluster.run(DIAMOND)
        with pytest.raises(Unsupported, match="does not have: whom"):
            cluster.run(DIAMOND, whom="me")
        with pytest.raises(Unsupported, match="braces in who"):
            cluster.run(DIAMOND, who="{{workflow.name}}")


def test_a_list_of_steps_is_done_group_by_group_until_one_fails(cluster):
    steps = """
entrypoint: all
templates:
  - name: all
    steps:
      - - {name: one, template: do, arguments: {parameters: [{name: what, value: one}]}}
        - {name: two, template: do, arguments: {parameters: [{name: what, value: two}]}}
      - - {name: three, template: do, arguments: {parameters: [{name: what, value: "{{steps.one.status}}"}]}}
  - name: do
    inputs: {parameters: [{name: what}]}
    container: {command: [do], args: ["{{inputs.parameters.what}}"]}
"""
    assert cluster.run(steps).status == "Succeeded"
    assert cluster.said == ["one", "two", "Succeeded"]
    cluster.pods.clear()
    cluster.ends["two"] = [1]
    assert cluster.run(steps, name="again").phases["three"] == "Omitted"
    assert cluster.said == ["one", "two"]


class TestRetries:
    @pytest.mark.parametrize(
        ("codes", "tried", "status"),
        [
            ([75, 75, 0], [75, 75, 0], "Succeeded"),
            ([75, 65], [75, 65], "Failed"),
            ([75], [75] * 4, "Failed"),
            ([1], [1], "Failed"),
        ],
    )
    def test_are_made_where_the_expression_holds_and_so_often_as_allowed(self, cluster, codes, tried, status):
        cluster.ends["try"] = codes
        done = cluster.run(RETRIED)
        assert (done.nodes[0].codes, done.status) == (tried, status)

    def test_wait_longer_each_time_up_to_a_cap(self, cluster):
        cluster.ends["try"] = [75]
        cluster.run(RETRIED)
        assert cluster.pauses == [10, 15, 15]


def test_a_mutex_lets_one_workflow_through_at_a_time(tmp_path):
    spec = "{entrypoint: a, synchronization: {mutexes: [{name: m}]}, templates: [{name: a, container: {command: [a]}}]}"
    inside, most = 0, 0
    together = threading.Event()

    def execute(pod: Pod) -> Ended:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        together.wait(0.05)
        inside -= 1
        return Ended(0, Path)

    runner = Runner({"it": {"kind": "WorkflowTemplate", "spec": yaml.safe_load(spec)}}, execute, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: runner.run("it", {}, name=f"w{number}"), range(4)))
    assert [one.status for one in done] == ["Succeeded"] * 4
    assert most == 1


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ("onExit: tell", "hooks: {}"),
        ("onExit: tell", "parallelism: 3"),
        ("depends: first.Succeeded && left.Skipped", "depends: first.Daemoned"),
        ("depends: first.Succeeded && left.Skipped", "depends: nobody.Succeeded"),
        ("template: use", "{template: use, withItems: [1]}"),
        ("{{workflow.status}}", "{{=workflow.status}}"),
        ("== 'go'", "=~ 'go'"),
        ("container: {args: [use]}", "script: {source: echo}"),
        ("args: [use]", "args: [use], lifecycle: {}"),
        ("archive: {none: {}}", "archive: {tar: {}}"),
        ("valueFrom: {path: /tmp/state}", "valueFrom: {event: x}"),
    ],
)
def test_what_the_runner_does_not_know_it_refuses(cluster, known, unknown):
    assert known in DIAMOND
    broken = (
        DIAMOND.replace(known, unknown)
        if "withItems" not in unknown
        else DIAMOND.replace("          template: use\n", "          template: use\n          withItems: [1]\n")
    )
    with pytest.raises((Unsupported, KeyError)):
        cluster.run(broken, who="me")


class TestExpressions:
    @pytest.mark.parametrize(
        ("text", "true"),
        [
            ("'a' == 'a'", True),
            ("'a && b' != 'a' && 2 > 1", True),
            ("0 > 0 || '' == ''", True),
            ("'3' in ['1', '2']", False),
        ],
    )
    def test_are_true_or_false(self, text, true):
        assert holds(text) is true

    @pytest.mark.parametrize("text", ["under-way == under-way", "a", "1 +", "f(1)", "'a'", "asInt('1') > 0"])
    def test_that_mean_something_else_are_refused(self, text):
        with pytest.raises(Unsupported):
            holds(text)

    def test_of_dependencies_know_how_a_task_ended(self):
        results = {"load-it": "Succeeded", "b": "Skipped", "c": "Failed"}
        assert is_met("load-it.Succeeded && b", results)
        assert not is_met("load-it && c", results)
        assert is_met("c.Failed || b.Succeeded", results)


class TestProcesses:
    def pod(self, tmp_path: Path, code: str, **container) -> Pod:
        made = {"command": ["python", "-c"], "args": [code], **container}
        volumes = {
            "/tmp": {"name": "t", "emptyDir": {}},
            "/var/runs": {"name": "r", "persistentVolumeClaim": {"claimName": "runs"}},
        }
        (tmp_path / "pod").mkdir()
        return Pod("pod", made, volumes, tmp_path / "pod", 20)

    def test_see_the_variables_and_the_mounted_folders(self, tmp_path):
        (tmp_path / "claim").mkdir()
        execute = Processes({"A": "1"}, {"runs": tmp_path / "claim"}, tmp_path)
        code = "import os; open('/var/runs/a', 'w').write(os.environ['A'] + os.environ['B'] + os.environ['C'])"
        env = [
            {"name": "B", "value": "/var/runs/x"},
            {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ]
        ended = execute(self.pod(tmp_path, code, env=env))
        assert ended.code == 0, (tmp_path / "pod" / "log").read_text()
        assert ended.file("/var/runs/a").read_text() == f"1{tmp_path}/claim/x127.0.0.1"

    def test_that_take_too_long_are_ended(self, tmp_path):
        pod = self.pod(tmp_path, "import time; time.sleep(60)")
        late = Pod(pod.name, pod.container, pod.volumes, pod.folder, 0.5)
        assert Processes({}, {"runs": tmp_path}, tmp_path)(late).code == 143
