"""What MLflow's server is started with, and what is made for it before."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from tracking.artifacts import ensure_bucket
from tracking.server import NotConfigured, artifacts, command, environment

STORE = "postgresql+psycopg://nexus:secret@postgres:5432/mlflow"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "mlflow_backend_store_uri").write_text(f"{STORE}\n")
    (tmp_path / "aws_access_key_id").write_text("somebody")
    (tmp_path / "aws_secret_access_key").write_text("")
    return tmp_path


@pytest.fixture
def server() -> Iterator[dict[str, str]]:
    moto = ThreadedMotoServer("127.0.0.1", 0)
    moto.start()
    host, port = moto.get_host_and_port()
    httpx.post(f"http://{host}:{port}/moto-api/reset")  # its memory is the process's
    yield {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    moto.stop()


def buckets(server: dict[str, str]) -> list[str]:
    client = boto3.client(
        "s3", endpoint_url=server["MLFLOW_S3_ENDPOINT_URL"], aws_access_key_id="a", aws_secret_access_key="b"
    )
    return [one["Name"] for one in client.list_buckets()["Buckets"]]


def test_secrets_are_read_from_files_and_an_empty_one_is_none(secrets: Path) -> None:
    variables = environment({"HOME": "/tmp"}, secrets)
    assert variables["MLFLOW_BACKEND_STORE_URI"] == STORE
    assert variables["AWS_ACCESS_KEY_ID"] == "somebody"
    assert "AWS_SECRET_ACCESS_KEY" not in variables


def test_a_variable_wins_over_a_file(secrets: Path) -> None:
    assert environment({"MLFLOW_BACKEND_STORE_URI": "sqlite://"}, secrets)["MLFLOW_BACKEND_STORE_URI"] == "sqlite://"


def test_without_an_address_of_its_database_it_says_where_that_belongs(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="mlflow_backend_store_uri"):
        environment({}, tmp_path)


def test_no_secret_is_on_the_command_line(secrets: Path) -> None:
    line = command(environment({"NEXUS_ARTIFACTS": "s3://elsewhere"}, secrets))
    assert "s3://elsewhere" in line
    assert not [word for word in line if "secret" in word or "somebody" in word]


def test_the_bucket_is_made_once(server: dict[str, str]) -> None:
    for _ in range(2):
        ensure_bucket(server, artifacts(server))
    assert buckets(server) == ["mlflow"]


def test_a_folder_and_amazons_own_servers_are_left_to_whoever_runs_them(server: dict[str, str]) -> None:
    ensure_bucket(server, "/var/lib/artifacts")
    ensure_bucket({}, "s3://mlflow")
    assert buckets(server) == []


def test_a_server_that_refuses_is_told_in_a_line() -> None:
    away = {"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with pytest.raises(NotConfigured, match="the bucket mlflow at"):
        ensure_bucket(away, "s3://mlflow")
