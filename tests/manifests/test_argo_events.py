"""Event sources and sensors: what becomes of an event, and that everything they mention is there."""

from base64 import b64decode
from urllib.parse import quote_plus

import pytest
from alert_bridge.adapters.argo_events import ArgoEvents
from ingest.keys import name_of
from opskit.contracts.runs import RunOrder

from tests.manifests.argo_objects import argo_objects
from tests.manifests.argo_sensors import sensor_flaws, workflows_of
from tests.manifests.rendering import named, of_kind
from tests.manifests.schemas import DEFINITIONS, problems_of_custom
from tests.manifests.test_argo_workflows import edited

EVENTS = ("EventBus", "EventSource", "Sensor")

REASON = '50 % "down" {{ $value }}'
ORDER = RunOrder(run_id="run_0123456789ab", incident="inc_1", alertname="NexusAnswerQualityLow", reason=REASON)
LABEL_LIMIT = 63


@pytest.fixture
def objects() -> list:
    return argo_objects()


@pytest.fixture
def retraining(objects):
    return named(objects, "Sensor", "retraining")


@pytest.fixture
def documents(objects):
    return named(objects, "Sensor", "documents")


def posted(order: RunOrder) -> dict:
    """What the webhook event source makes of alert-bridge's POST."""
    return {"header": {"Content-Type": ["application/json"]}, "body": order.model_dump(mode="json"), "metadata": None}


def happened(key: str, *, bucket: str = "nexus") -> dict:
    """What the MinIO event source makes of a notification; the server encodes the key as in a form, slashes too."""
    record = {
        "eventName": "s3:ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
    }
    return {"notification": [record], "metadata": None}


class TestAnOrder:
    def test_becomes_one_workflow_named_by_its_run(self, retraining):
        (made,) = workflows_of(retraining, "retraining", posted(ORDER))
        assert made["metadata"]["name"] == "retrain-0123456789ab"
        assert "generateName" not in made["metadata"], "a second one is to be refused by its name"
        assert made["spec"]["workflowTemplateRef"] == {"name": "llm-retraining-pipeline"}
        run, order = made["spec"]["arguments"]["parameters"]
        assert run == {"name": "run-id", "value": ORDER.run_id}
        assert RunOrder.model_validate_json(b64decode(order["value"])) == ORDER
        assert "{{" not in order["value"]

    def test_is_created_so_that_the_api_server_refuses_it_twice(self, retraining):
        (trigger,) = retraining["spec"]["triggers"]
        assert trigger["template"]["k8s"]["operation"] == "create"
        assert trigger["atLeastOnce"] is True

    def test_says_in_the_workflow_what_it_is_about(self, retraining):
        (made,) = workflows_of(retraining, "retraining", posted(ORDER))
        assert made["metadata"]["annotations"] == {
            "nexus/incident": "inc_1",
            "nexus/alert": "NexusAnswerQualityLow",
            "workflows.argoproj.io/description": ORDER.reason,
        }

    @pytest.mark.parametrize("name", ["run_" + "a" * 40, "run_12345678"])
    def test_of_any_length_gives_a_name_that_kubernetes_takes(self, retraining, name):
        (made,) = workflows_of(retraining, "retraining", posted(RunOrder(run_id=name)))
        assert len(made["metadata"]["name"]) <= LABEL_LIMIT
        assert made["metadata"]["name"].replace("-", "").isalnum()

    @pytest.mark.parametrize("changes", [{"run_id": "run_A"}, {"run_id": "x; rm"}, {"target": "something-else"}])
    def test_that_nobody_can_carry_out_makes_none(self, retraining, changes):
        event = posted(ORDER)
        event["body"] |= changes
        assert workflows_of(retraining, "retraining", event) == []

    def test_is_posted_where_alert_bridge_is_told(self, objects):
        source = named(objects, "EventSource", "retraining")
        hook = source["spec"]["webhook"]["retraining"]
        assert (hook["method"], hook["port"], hook["endpoint"]) == ("POST", "12000", "/retraining")
        assert hook["authSecret"] == {"name": "nexus-argo-events", "key": "nexus_argo_events_token"}
        assert ArgoEvents.start.__doc__ is not None


class TestAChangeInTheBucket:
    @pytest.mark.parametrize(
        ("event", "entrypoint", "prefix"), [("created", "ingest", "ingest-"), ("removed", "delete", "remove-")]
    )
    def test_becomes_a_workflow_of_its_own_path(self, documents, event, entrypoint, prefix):
        (made,) = workflows_of(documents, event, happened("acme/default/a b+é.md"))
        assert made["metadata"]["generateName"] == prefix
        assert made["spec"]["entrypoint"] == entrypoint
        (parameter,) = made["spec"]["arguments"]["parameters"]
        assert parameter == {"name": "object", "value": quote_plus("acme/default/a b+é.md")}

    @pytest.mark.parametrize("key", ["acme/default/guide.md", "acme/kb-2/Handbook/Öl & Gas (2).pdf", "a/b/x.part.md"])
    def test_in_a_document_is_let_through(self, documents, key):
        assert name_of(key) is not None
        assert len(workflows_of(documents, "created", happened(key))) == 1

    @pytest.mark.parametrize(
        "key",
        [
            "acme/default/.hidden",
            "acme/default/.git/config",
            "acme/default/folder/",
            "acme/guide.md",
            "guide.md",
            "Acme/x/a.md",
            "acme/default/a.md.part",
            "acme/default/~a.tmp",
        ],
    )
    def test_in_what_is_no_document_is_not(self, documents, key):
        assert workflows_of(documents, "created", happened(key)) == []
        assert workflows_of(documents, "removed", happened(key)) == []

    def test_in_another_bucket_is_not(self, documents):
        assert workflows_of(documents, "created", happened("acme/default/a.md", bucket="mlflow")) == []


def test_every_trigger_is_slowed_down_and_tried_again(objects):
    for sensor in of_kind(objects, "Sensor"):
        for trigger in sensor["spec"]["triggers"]:
            assert trigger["rateLimit"]["requestsPerUnit"] > 0
            assert trigger["retryStrategy"]["steps"] > 1
            assert trigger["atLeastOnce"] is True, "others are not tried again"


def test_everything_is_there_that_sensors_and_event_sources_mention(objects):
    assert sensor_flaws(objects) == []


@pytest.mark.parametrize(
    ("kind", "name", "before", "after", "flaw"),
    [
        ("Sensor", "documents", '"eventName": "created"', '"eventName": "made"', "there is no event made"),
        (
            "EventSource",
            "documents",
            '"documents"',
            '"papers"',
            "there is no event created of an event source documents",
        ),
        (
            "Sensor",
            "documents",
            '"conditions": "document-created"',
            '"conditions": "document"',
            "there is no dependency document",
        ),
        (
            "Sensor",
            "retraining",
            '"dependencyName": "order"',
            '"dependencyName": "orders"',
            "there is no dependency orders",
        ),
        (
            "Sensor",
            "retraining",
            '"name": "llm-retraining-pipeline"',
            '"name": "retraining"',
            "there is no WorkflowTemplate",
        ),
        ("WorkflowTemplate", "llm-retraining-pipeline", "run-id", "run", "takes no parameter run-id"),
        ("WorkflowTemplate", "llm-retraining-pipeline", "run-id", "run", "wants the parameter run"),
        ("Sensor", "documents", '"entrypoint": "delete"', '"entrypoint": "remove"', "has no template remove"),
        ("Sensor", "retraining", "parameters.1.value", "parameters.2.value", "the parameter order gets no value"),
        ("Sensor", "retraining", "parameters.1.value", "parameters.2.value", "there is no parameter at"),
        ("EventBus", "default", '"default"', '"other"', "there is no event bus for it"),
        ("EventSource", "retraining", '"port": "12000"', '"port": "12001"', "which its Service does not have"),
        ("EventSource", "retraining", '"authSecret"', '"auth"', "lets everybody in"),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(objects, kind, name, before, after, flaw):
    flaws = sensor_flaws(edited(objects, kind, name, before, after))
    assert any(flaw in one for one in flaws), flaws


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="Argo's definitions are not beside the checkout")
class TestArgosDefinitions:
    @pytest.mark.parametrize("kind", EVENTS)
    def test_are_kept(self, objects, kind):
        found = of_kind(objects, kind)
        assert found
        assert [flaw for one in found for flaw in problems_of_custom(one)] == []

    def test_are_kept_by_the_workflows_that_sensors_make(self, retraining, documents):
        made = workflows_of(retraining, "retraining", posted(ORDER))
        made += workflows_of(documents, "created", happened("acme/default/a.md"))
        assert [flaw for one in made for flaw in problems_of_custom(one)] == []

    @pytest.mark.parametrize(("before", "after"), [('"dataKey"', '"datakey"'), ('"rateLimit"', '"limits"')])
    def test_find_a_misspelt_key(self, objects, before, after):
        broken = edited(objects, "Sensor", "retraining", before, after)
        assert list(problems_of_custom(named(broken, "Sensor", "retraining")))
