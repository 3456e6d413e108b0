"""The API's description: what FastAPI finds in the routes, and the bodies that the routes read themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from gateway.schemas.answers import EmbeddingsRequest, FeedbackRequest, SearchRequest
from gateway.schemas.chat import ChatRequest
from gateway.schemas.operations import (
    AutomationRequest,
    KeyRequest,
    PromoteRequest,
    ProposalRequest,
    RollbackRequest,
    RunRequest,
)

TITLE = "LLMOps Nexus"
DESCRIPTION = """
Ask your documents: put them in, ask in OpenAI's words, get answers with citations that were checked.

    curl $NEXUS_URL/v1/chat/completions -H "authorization: Bearer $NEXUS_API_KEY" -H 'content-type: application/json' \\
      -d '{"model": "nexus", "messages": [{"role": "user", "content": "How do I reset the device?"}]}'

Every request carries an API key with one or more scopes: **chat** asks and searches, **documents** puts documents in
and takes them out, **admin** does everything. A key belongs to one tenant and sees nothing of any other. Every error
is `{"error": {"message", "type", "param", "code"}}`, every answer carries `x-request-id`, and 429 and 503 carry
`Retry-After`.
"""
TAGS = [
    {"name": "answers", "description": "Questions, searches, vectors and models."},
    {"name": "documents", "description": "What answers are drawn from."},
    {"name": "feedback", "description": "Votes on answers, from which the next release learns."},
    {"name": "keys", "description": "API keys and usage (admin)."},
    {"name": "operations", "description": "Runs, releases, incidents and the state of the stack (admin)."},
    {"name": "health", "description": "For probes; no key needed."},
]
SELF_READ = (
    AutomationRequest,
    ChatRequest,
    EmbeddingsRequest,
    FeedbackRequest,
    KeyRequest,
    PromoteRequest,
    ProposalRequest,
    RollbackRequest,
    RunRequest,
    SearchRequest,
)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        _, bodies = models_json_schema(
            [(model, "validation") for model in SELF_READ], ref_template="#/components/schemas/{model}"
        )
        schemas = document["components"]["schemas"]
        schemas.update(bodies["$defs"])
        # FastAPI describes its own validation errors; ours have OpenAI's shape and status 400.
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        document["components"]["schemas"] = dict(sorted(schemas.items()))
        for operation in _operations(document):
            operation["responses"].pop("422", None)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]
