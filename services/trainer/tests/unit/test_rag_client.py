"""What rag's answers mean to a run that tries settings."""

from collections.abc import Callable

import httpx
import pytest
from nexus_serving.engines.contract import ReaderFailed
from opskit.contracts.trials import Trial, TrialAnswer
from opskit.errors import InvalidRequest, Unavailable
from trainer.adapters import rag_client
from trainer.adapters.rag_client import RagClient

ANSWER = TrialAnswer(answer="Two. [1]", short="Two.", abstained=False, citations=[], passages=[], seconds=0.2)


def said() -> httpx.Response:
    return httpx.Response(200, text=ANSWER.model_dump_json())


def error(status: int, code: str, message: str = "why", param: str | None = None) -> httpx.Response:
    body = {"error": {"message": message, "type": "x", "param": param, "code": code}}
    return httpx.Response(status, json=body, headers={"retry-after": "0"})


class Rag:
    """Says these in turn, and the last one again and again."""

    def __init__(self, *says: httpx.Response) -> None:
        self.says, self.seen = list(says), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@pytest.fixture
def client() -> Callable[[Rag], RagClient]:
    return lambda rag: RagClient(httpx.Client(transport=httpx.MockTransport(rag), base_url="http://rag"), token="t")


@pytest.fixture
def trial(fake_rag) -> Trial:
    return Trial(release=fake_rag.start_release(), question="How many?", knowledge_base="handbook")


class TestTrying:
    def test_it_is_asked_for_the_tenant(self, client, trial):
        rag = Rag(said())
        assert client(rag).tried("acme", trial) == ANSWER
        (seen,) = rag.seen
        assert (seen.headers["x-nexus-tenant"], seen.url.path) == ("acme", "/internal/trials")
        assert Trial.model_validate_json(seen.content) == trial

    def test_while_others_keep_rag_busy_it_is_asked_again(self, client, trial):
        rag = Rag(
            error(503, "overloaded"), error(503, "reader_failed"), httpx.Response(200, text=ANSWER.model_dump_json())
        )
        assert client(rag).tried("acme", trial) == ANSWER

    @pytest.mark.parametrize("failure", [error(400, "invalid_request"), error(503, "reader_failed")])
    def test_what_the_release_cannot_do_is_its_own_fault(self, client, trial, failure):
        with pytest.raises(ReaderFailed, match="why"):
            client(Rag(failure)).tried("acme", trial)

    @pytest.mark.parametrize("failure", [error(503, "unavailable"), error(401, "invalid_api_key"), error(500, "error")])
    def test_what_rag_cannot_do_is_not(self, client, trial, failure):
        rag = Rag(failure)
        with pytest.raises(Unavailable):
            client(rag).tried("acme", trial)
        assert len(rag.seen) == (rag_client._TRIES if failure.status_code == 503 else 1)


class TestChecking:
    def test_settings_come_back_as_rag_understands_them(self, client):
        assert client(Rag(httpx.Response(200, json={"settings": {"a": 1.0}}))).checked({"a": 1}) == {"a": 1.0}

    def test_what_is_wrong_is_said_where_the_caller_wrote_it(self, client):
        rag = Rag(error(400, "invalid_request", "retrieval.pasages: there is no such setting", "retrieval.pasages"))
        with pytest.raises(InvalidRequest) as caught:
            client(rag).checked({})
        assert caught.value.param == "settings.retrieval.pasages"

    def test_without_rag_nothing_is_said(self, client):
        with pytest.raises(Unavailable):
            client(Rag(error(500, "error"))).checked({})
