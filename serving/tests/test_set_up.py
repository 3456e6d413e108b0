"""What set-up and launch decide, without doing it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from nexus_serving import pythons, triton_environment
from nexus_serving.choice import Elsewhere, Extractive, GgufFile, HubFile, choice
from nexus_serving.command import Listen, installed_triton, server_command
from nexus_serving.embedder_model import FINGERPRINT, embedder_folder
from nexus_serving.layout import SERVING, Layout, SetUpFailed
from nexus_serving.llama.environment import llama_python, prepare_llama
from nexus_serving.preparing import prepare
from nexus_serving.pythons import Interpreter, find_python
from nexus_serving.served_repository import model_parameters, write_repository
from nexus_serving.triton_environment import TritonEnvironment

ENVIRONMENT = TritonEnvironment("k", "/env/site", "/env/backends", "/env/tritonserver", "/base", "/base/lib:/env/libs")


def test_a_python_without_its_shared_library_is_named_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bare = Interpreter(Path("/usr/bin/python3"), "3.11", Path("/usr"), (tmp_path,))
    monkeypatch.setattr(pythons, "_candidates", lambda: iter([bare.executable]))
    monkeypatch.setattr(pythons, "_probe", lambda path: bare)
    monkeypatch.setattr(pythons, "_downloaded_library", lambda found, downloads: None)
    with pytest.raises(SetUpFailed, match=r"apt-get install -y python3\.11 libpython3\.11"):
        find_python(tmp_path)


def test_a_python_is_found_by_its_shared_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "libpython3.12.so.1.0").touch()
    old = Interpreter(Path("/a/python3.9"), "3.9", Path("/a"), (tmp_path,))
    good = Interpreter(Path("/b/python3.12"), "3.12", Path("/b"), (Path("/nowhere"), tmp_path))
    found = {one.executable: one for one in (old, good)}
    monkeypatch.setattr(pythons, "_candidates", lambda: iter(found))
    monkeypatch.setattr(pythons, "_probe", found.get)
    assert find_python(tmp_path).library_folder == tmp_path
    assert find_python(tmp_path).version == "3.12"


def test_uv_that_is_nowhere_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(triton_environment, "HOME", tmp_path)
    with pytest.raises(SetUpFailed, match="uv is missing"):
        triton_environment.find_uv()


def test_an_installer_that_fails_gives_its_reason():
    with pytest.raises(SetUpFailed, match="no such thing"):
        triton_environment.run(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_launching_before_preparing_says_what_to_run(tmp_path: Path):
    with pytest.raises(SetUpFailed, match=r"serving/prepare\.py"):
        TritonEnvironment.load(Layout(cache=tmp_path, state=tmp_path))


def test_folders_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXUS_CACHE_DIR", str(tmp_path / "c"))
    monkeypatch.setenv("NEXUS_STATE_DIR", str(tmp_path / "s"))
    layout = Layout.from_environment()
    assert layout.triton == tmp_path / "c" / "triton"
    assert layout.served_repository.is_relative_to(tmp_path / "s")


def test_the_server_inherits_nothing_and_finds_its_own_python_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "/leak")
    made = ENVIRONMENT.variables()
    assert made["PATH"].split(":")[0] == "/base/bin"
    assert "/leak" not in " ".join(made.values())
    assert made["NEXUS_SERVING_PATH"].split(":")[0] == "/env/site"


def test_the_server_listens_where_it_is_told_and_loads_what_it_is_told(tmp_path: Path):
    command = server_command(ENVIRONMENT, tmp_path, Listen("127.0.0.1", 1, 2, 3), ["embedder", "reader"])
    assert {"--http-port=1", "--grpc-port=2", "--metrics-port=3", "--load-model=reader"} <= set(command)
    assert all(f"--{door}-address=127.0.0.1" in command for door in ("http", "grpc", "metrics"))


def test_a_port_in_use_is_noticed():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert Listen("127.0.0.1", port, port, port).taken() == [port] * 3


def test_the_served_repository_names_this_machines_folders_and_digests(tmp_path: Path):
    (tmp_path / "e").mkdir()
    (tmp_path / "r").mkdir()
    (tmp_path / "e" / "embedder.json").write_text(json.dumps({"fingerprint": "f00"}))
    (tmp_path / "r" / "reader.json").write_text(json.dumps({"digest": "d00"}))
    parameters = model_parameters(Layout(tmp_path, tmp_path), tmp_path / "e", tmp_path / "r")
    write_repository(tmp_path / "served", parameters)
    config = (tmp_path / "served" / "reader" / "config.pbtxt").read_text()
    assert "instance_group [ { count: 2" in config
    assert 'key: "reader_digest" value { string_value: "d00" }' in config
    assert str(tmp_path / "r") in config
    assert (tmp_path / "served" / "embedder" / "1" / "model.py").exists()


def test_a_model_elsewhere_leaves_triton_the_embedder_and_the_ranker(tmp_path: Path):
    (tmp_path / "embedder.json").write_text(json.dumps({"fingerprint": "f00"}))
    layout = Layout(tmp_path, tmp_path, model="openai:http://127.0.0.1:1/v1#m")
    assert set(model_parameters(layout, tmp_path, tmp_path)) == {"embedder", "ranker"}


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("extractive", Extractive()),
        (" ", Extractive()),
        ("/models/llama-2-7b-chat.Q4_K_M.gguf", GgufFile(Path("/models/llama-2-7b-chat.Q4_K_M.gguf"))),
        ("org/Some-Model-GGUF#some.Q4_K_M.gguf", HubFile("org/Some-Model-GGUF", "some.Q4_K_M.gguf")),
        ("org/repo@v1.2#sub/some.gguf", HubFile("org/repo", "sub/some.gguf", "v1.2")),
        ("openai:http://127.0.0.1:11434/v1#llama3.2", Elsewhere()),
    ],
)
def test_a_model_is_chosen_by_one_setting(model: str, wanted: object):
    assert choice(model) == wanted


@pytest.mark.parametrize("model", ["llama", "/models/llama", "org/repo#file.bin", "https://somewhere#x"])
def test_a_setting_that_names_no_model_says_what_would(model: str):
    with pytest.raises(SetUpFailed, match=r"NEXUS_MODEL=.* is none of: `extractive`"):
        choice(model)


def test_a_setting_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXUS_MODEL_SLOTS", "many")
    with pytest.raises(SetUpFailed, match="NEXUS_MODEL_SLOTS=many is no number above 0"):
        Layout.from_environment()


def test_an_image_brings_its_own_server_and_what_it_sets_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/cuda/lib64")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tritonserver").touch()
    triton = installed_triton(Layout(tmp_path, tmp_path, home=tmp_path / "home", system_triton=tmp_path))
    assert triton.server == str(tmp_path / "bin" / "tritonserver")
    assert triton.backends == str(tmp_path / "backends")
    assert triton.variables()["LD_LIBRARY_PATH"] == "/usr/local/cuda/lib64"
    assert triton.variables()["NEXUS_SERVING_PATH"].split(":")[0] == str(tmp_path / "home" / "packages")


def test_an_image_without_a_server_is_named(tmp_path: Path):
    with pytest.raises(SetUpFailed, match=r"NEXUS_SYSTEM_TRITON=.* holds no bin/tritonserver"):
        installed_triton(Layout(tmp_path, tmp_path, system_triton=tmp_path))


def test_what_an_image_was_built_with_is_found_before_the_cache(tmp_path: Path):
    layout = Layout(cache=tmp_path / "cache", state=tmp_path, home=tmp_path / "home")
    assert embedder_folder(layout).is_relative_to(layout.cache)
    built_in = tmp_path / "home" / "models" / "embedder" / FINGERPRINT[:16]
    built_in.mkdir(parents=True)
    (built_in / "embedder.json").touch()
    python = tmp_path / "home" / "llama" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert embedder_folder(layout) == built_in
    assert llama_python(layout) == prepare_llama(layout, print) == str(python)


def test_an_image_that_has_everything_prepares_nothing_and_needs_no_cache(tmp_path: Path):
    built_in = tmp_path / "home" / "models" / "embedder" / FINGERPRINT[:16]
    built_in.mkdir(parents=True)
    (built_in / "embedder.json").touch()
    layout = Layout(tmp_path / "cache", tmp_path, home=tmp_path / "home", system_triton=tmp_path)
    prepare(layout, pytest.fail)
    assert not layout.cache.exists()


def test_a_cache_that_cannot_be_written_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetUpFailed, match=r"cannot be written.*set NEXUS_CACHE_DIR"):
        prepare(Layout(tmp_path / "file" / "cache", tmp_path), pytest.fail)


def test_installed_anywhere_it_finds_the_parts_of_the_folder_that_stands_for_the_checkout(tmp_path: Path):
    show = (
        "from nexus_serving.layout import MODEL_REPOSITORY, SHIPPED_READER, Layout; "
        "print(MODEL_REPOSITORY, SHIPPED_READER, Layout.from_environment().home)"
    )
    done = subprocess.run(
        [sys.executable, "-c", show],
        env={"NEXUS_HOME": str(tmp_path), "PYTHONPATH": str(SERVING)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [f"{tmp_path}/serving/model_repository", f"{tmp_path}/models/reader", str(tmp_path)]
