"""One address may stand for several Tritons: each must load what is to be served."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from nexus_serving.layout import SHIPPED_READER, Layout
from opskit.errors import Unavailable
from trainer.adapters.triton_models import TritonModels, servers


def known(*places: tuple[socket.AddressFamily, str]):
    return lambda host, port, **_: [(family, socket.SOCK_STREAM, 6, "", (place, port)) for family, place in places]


class TestServers:
    def test_a_name_stands_for_all_that_are_behind_it(self):
        resolve = known((socket.AF_INET, "10.0.0.2"), (socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "10.0.0.1"))
        assert servers("triton:8001", resolve) == ["10.0.0.1:8001", "10.0.0.2:8001"]

    def test_a_server_with_two_kinds_of_address_is_one(self):
        resolve = known((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
        assert servers("localhost:8001", resolve) == ["127.0.0.1:8001"]

    def test_addresses_of_the_new_kind_are_written_so_that_grpc_reads_them(self):
        assert servers("[fd00::1]:8001", known((socket.AF_INET6, "fd00::1"))) == ["[fd00::1]:8001"]

    def test_a_name_that_nobody_knows_is_an_absent_triton(self):
        def nobody(*_: Any, **__: Any) -> None:
            raise socket.gaierror("unknown")

        with pytest.raises(Unavailable, match="nobody knows where triton is"):
            servers("triton:8001", nobody)


class TwoTritons(TritonModels):
    """Two servers, of which each remembers what it was told."""

    def __init__(self, layout: Layout) -> None:
        super().__init__("triton:8001", layout)
        self.models: dict[str, set[str]] = {"one": set(), "two": set()}

    def _servers(self) -> list[str]:
        return list(self.models)

    def _call(self, server: str, method: str, *arguments: Any, **_: Any) -> Any:
        match method:
            case "load_model":
                self.models[server].add(arguments[0])
            case "unload_model":
                self.models[server].discard(arguments[0])
            case "get_model_repository_index":
                return {"models": [{"name": name, "state": "READY"} for name in self.models[server]]}
        return True


@pytest.fixture
def tritons(tmp_path: Path) -> TwoTritons:
    return TwoTritons(Layout(tmp_path / "cache", tmp_path / "state"))


@pytest.fixture
def reader(tmp_path: Path) -> tuple[Path, str]:
    folder = tmp_path / "reader"
    shutil.copytree(SHIPPED_READER, folder)
    return folder, str(json.loads((folder / "reader.json").read_text())["digest"])


def test_what_is_loaded_is_loaded_by_all_and_what_goes_goes_from_all(tritons, reader):
    tritons.load("reader_a", *reader)
    assert tritons.models == {"one": {"reader_a"}, "two": {"reader_a"}}
    assert tritons.loaded() == {"reader_a"}
    tritons.unload("reader_a")
    assert tritons.models == {"one": set(), "two": set()}


def test_what_any_has_or_is_to_load_takes_room(tritons, reader):
    tritons.models["one"] = {"reader_left"}
    assert (tritons.loaded(), tritons.held()) == (set(), {"reader_left"})
    tritons.load("reader_a", *reader)
    tritons.models = {"one": set(), "two": set()}
    assert tritons.held() == {"reader_a"}, "it would be loaded again with the servers"
    tritons.unload("reader_a")
    assert tritons.held() == set()


def test_what_one_of_them_lacks_is_not_loaded_and_is_made_up_for(tritons, reader):
    tritons.load("reader_a", *reader)
    tritons.models["two"].clear()
    assert tritons.loaded() == set()
    tritons.load("reader_a", *reader)
    assert tritons.loaded() == {"reader_a"}
