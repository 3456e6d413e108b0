"""Following trainer's serving table."""

import httpx
import pytest
from opskit.contracts.releases import ReleaseBundle, ServingTable
from opskit.database import open_database
from rag.adapters.serving_table import TrainerTable

TABLE = ServingTable(
    champion=ReleaseBundle(
        release="rel_1", reader_model="reader_1", reader_digest="d", engine="extractive", settings={}
    )
)


class Trainer:
    def __init__(self) -> None:
        self.table = TABLE
        self.away = False
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, text=self.table.model_dump_json())


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def followed(any_database, trainer):
    def made() -> TrainerTable:
        engine = open_database(any_database, migrations="rag.migrations")
        client = httpx.AsyncClient(transport=httpx.MockTransport(trainer), base_url="http://trainer")
        return TrainerTable(client, engine, token="token", every_seconds=0.01)

    return made


async def test_before_anything_was_heard_it_is_empty(followed):
    table = followed()
    table.recall()
    assert table.table == ServingTable()


async def test_it_says_what_trainer_says(followed, trainer):
    table = followed()
    await table.refresh()
    assert table.table == TABLE
    assert trainer.asked[0].url.path == "/internal/serving"
    assert trainer.asked[0].headers["authorization"] == "Bearer token"


async def test_it_survives_a_restart_while_trainer_is_away(followed, trainer):
    await followed().refresh()
    trainer.away = True
    again = followed()
    again.recall()
    with pytest.raises(httpx.HTTPError):
        await again.refresh()
    assert again.table == TABLE


async def test_what_is_no_table_changes_nothing(followed, trainer):
    table = followed()
    await table.refresh()
    trainer.table = TABLE.model_copy(update={"share": 7.0})
    with pytest.raises(ValueError):
        await table.refresh()
    assert table.table == TABLE
