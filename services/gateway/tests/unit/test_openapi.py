"""The committed description is the one the code gives, and it is complete."""

import json
import re
from pathlib import Path

import pytest
from gateway.app import create_app
from gateway.settings import Settings
from pydantic import SecretStr

COMMITTED = Path(__file__).parents[2] / "openapi.json"


@pytest.fixture(scope="module")
def document():
    return create_app(Settings(internal_token=SecretStr("only-describing-itself"), bootstrap_key=None)).openapi()


def operations(document):
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_the_committed_description_is_up_to_date(document):
    committed = json.loads(COMMITTED.read_text())
    assert committed == json.loads(json.dumps(document)), (
        "run: .venv/bin/python -m gateway openapi > services/gateway/openapi.json"
    )


def test_every_operation_has_a_summary_a_tag_and_a_snake_case_name_of_its_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    for _, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["tags"], path


def test_every_public_operation_needs_a_key_and_shows_its_errors(document):
    for method, path, operation in operations(document):
        if not path.startswith("/v1/"):
            continue
        assert operation["security"] == [{"ApiKey": []}], path
        for status in ("400", "401", "403", "429", "503"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (method, path, status)


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert reference in document["components"]["schemas"]


def test_every_json_request_has_an_example(document):
    for _, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content or not operation["requestBody"]["required"]:
            continue
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][name]["examples"], path
