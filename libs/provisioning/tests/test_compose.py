"""What the one-shot container leaves behind, on real files."""

import os
import stat
from pathlib import Path

import pytest
import yaml
from provisioning.__main__ import main
from provisioning.secret_table import READERS

MONITORING = Path(__file__).parents[3] / "monitoring"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to other users")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "provided").mkdir()
    for name in ("provided", "secrets", "rendered"):
        monkeypatch.setenv(f"NEXUS_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("NEXUS_MONITORING", str(MONITORING))
    monkeypatch.setenv("NEXUS_POSTGRES_DATA", str(tmp_path / "postgres"))
    for name in ("NEXUS_PROFILE", "NEXUS_VERSION", "NEXUS_GENERATE_SECRETS", "NEXUS_POSTGRES_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def files(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with the inode, which a new file would not share, and its text."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (file.stat().st_ino, file.read_text()) for file in found}


def permissions(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that says why."""
    assert main(["compose", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


class TestAReader:
    def test_has_a_folder_of_its_own_that_it_alone_can_open(self, place):
        assert main(["compose"]) == 0
        for reader, user in READERS.items():
            assert permissions(place / "secrets" / reader) == (user, 0o500)
            for file in (place / "secrets" / reader).iterdir():
                assert permissions(file) == (user, 0o400)
        assert permissions(place / "secrets" / "generated") == (0, 0o700)

    def test_has_its_own_files_and_no_others(self, place):
        main(["compose"])
        assert {file.name for file in (place / "secrets" / "rag").iterdir()} == {
            "nexus_internal_token",
            "nexus_rag_database_url",
        }
        assert [file.name for file in (place / "secrets" / "minio").iterdir()] == ["minio.env"]

    def test_gets_a_value_that_was_changed_and_loses_one_that_was_taken_back(self, place):
        provided = place / "provided" / "nexus_model_api_key"
        handed = place / "secrets" / "rag" / "nexus_model_api_key"
        for key in ("sk-one\n", "sk-two\n"):
            provided.write_text(key)
            assert main(["compose"]) == 0
            assert handed.read_text() == key.strip()
            assert permissions(handed) == (READERS["rag"], 0o400)
        provided.unlink()
        assert main(["compose"]) == 0
        assert not handed.exists()

    def test_gets_back_its_folder_when_somebody_opened_it_to_all(self, place):
        main(["compose"])
        file = place / "secrets" / "gateway" / "nexus_bootstrap_key"
        file.chmod(0o644)
        file.parent.chmod(0o755)
        main(["compose"])
        assert permissions(file) == (READERS["gateway"], 0o400)
        assert permissions(file.parent) == (READERS["gateway"], 0o500)


class TestASecondStart:
    def test_changes_nothing(self, place, capsys):
        main(["compose"])
        before = files(place / "secrets"), files(place / "rendered")
        main(["compose"])
        assert "8 kept, 0 made; monitoring: profile production rendered; version" in capsys.readouterr().out
        assert (files(place / "secrets"), files(place / "rendered")) == before

    def test_renders_anew_what_somebody_changed(self, place):
        main(["compose"])
        before = {name: text for name, (_, text) in files(place / "rendered").items()}
        (place / "rendered" / "prometheus.yml").write_text("changed")
        main(["compose"])
        assert {name: text for name, (_, text) in files(place / "rendered").items()} == before

    def test_goes_on_where_an_interrupted_one_stopped(self, place):
        main(["compose"])
        generated = place / "secrets" / "generated"
        (generated / "postgres_password").write_text("")
        (generated / "postgres_password.new").write_text("half")
        assert main(["compose"]) == 0
        password = (generated / "postgres_password").read_text()
        assert len(password) == 32
        assert (place / "secrets" / "postgres" / "postgres_password").read_text() == password


class TestNoSecret:
    def test_is_ever_printed(self, place, capsys):
        (place / "provided" / "nexus_model_api_key").write_text("sk-of-the-model")
        main(["compose"])
        main(["compose"])
        said = "".join(capsys.readouterr())
        generated = [file.read_text() for file in (place / "secrets" / "generated").iterdir()]
        assert [value for value in [*generated, "sk-of-the-model"] if value in said] == []

    def test_is_in_what_prometheus_and_alertmanager_are_rendered(self, place):
        main(["compose"])
        rendered = "".join(text for _, text in files(place / "rendered").values())
        secret = [file.read_text() for file in (place / "secrets" / "generated").iterdir()]
        assert [value for value in secret if value in rendered] == []


class TestARefusal:
    def test_of_a_weak_secret_leaves_everything_as_it_was(self, place, capsys):
        (place / "provided" / "nexus_bootstrap_key").write_text("admin")
        assert "nexus_bootstrap_key must have at least 24 characters" in refused(capsys)
        assert not (place / "secrets").exists()
        assert not (place / "rendered").exists()

    def test_of_secrets_that_may_not_be_made(self, place, capsys, monkeypatch):
        monkeypatch.setenv("NEXUS_GENERATE_SECRETS", "no")
        assert "NEXUS_GENERATE_SECRETS=no forbids to make them: nexus_internal_token," in refused(capsys)
        monkeypatch.setenv("NEXUS_GENERATE_SECRETS", "perhaps")
        assert "is neither yes nor no" in refused(capsys)

    def test_of_a_folder_where_a_secret_should_be(self, place, capsys):
        (place / "provided" / "nexus_api_key").mkdir()
        assert "nexus_api_key has to be a file with the secret in it" in refused(capsys)

    def test_does_not_meet_notes_that_lie_beside_the_secrets(self, place):
        (place / "provided" / "README.md").write_text("what goes here")
        (place / "provided" / ".gitignore").write_text("*")
        assert main(["compose"]) == 0

    def test_of_a_profile_that_does_not_exist(self, place, capsys, monkeypatch):
        monkeypatch.setenv("NEXUS_PROFILE", "fast")
        assert "there are: demo, production" in refused(capsys)
        monkeypatch.setenv("NEXUS_MONITORING", str(place))
        assert "There are no profiles in" in refused(capsys)

    def test_of_volumes_that_a_newer_version_wrote(self, place, capsys, monkeypatch):
        monkeypatch.setenv("NEXUS_VERSION", "0.10.0")
        main(["compose"])
        before = files(place)
        capsys.readouterr()
        monkeypatch.setenv("NEXUS_VERSION", "0.9.1")
        assert "start 0.10.0 again (NEXUS_VERSION=0.10.0), or restore a backup that 0.9.1 made" in refused(capsys)
        assert files(place) == before

    def test_of_databases_of_another_major_version_of_postgresql(self, place, capsys, monkeypatch):
        (place / "postgres").mkdir()
        (place / "postgres" / "PG_VERSION").write_text("16\n")
        monkeypatch.setenv("NEXUS_POSTGRES_IMAGE", "registry:5000/library/postgres:17.2-bookworm")
        assert "made by PostgreSQL 16, and registry:5000/library/postgres:17.2-bookworm is 17" in refused(capsys)
        for same_or_unknown in ("postgres:16-alpine", "postgres", "registry:5000/postgres@sha256:17ab", ""):
            monkeypatch.setenv("NEXUS_POSTGRES_IMAGE", same_or_unknown)
            assert main(["compose"]) == 0


class TestVersions:
    def test_of_an_older_stack_are_welcome_and_recorded_anew(self, place, capsys, monkeypatch):
        for version in ("0.9.0", "0.10.0"):
            monkeypatch.setenv("NEXUS_VERSION", version)
            assert main(["compose"]) == 0
        assert "version 0.10.0 (before: 0.9.0)" in capsys.readouterr().out
        assert (place / "secrets" / "version").read_text() == "0.10.0\n"


class TestVolumes:
    def test_get_their_owners_with_all_that_is_in_them(self, place):
        volume = place / "serving"
        (volume / "releases").mkdir(parents=True)
        (volume / "releases" / "one.json").touch()
        (volume / "elsewhere").symlink_to(place / "provided")
        assert main(["compose", "--owner", f"{volume}=trainer"]) == 0
        assert {path.lstat().st_uid for path in (volume, *volume.rglob("*"))} == {READERS["trainer"]}
        assert (place / "provided").stat().st_uid == 0

    def test_may_belong_to_a_number(self, place):
        (place / "redis").mkdir()
        assert main(["compose", "--owner", f"{place / 'redis'}=999"]) == 0
        assert (place / "redis").stat().st_uid == 999

    @pytest.mark.parametrize(
        ("owner", "told"), [("/nowhere=trainer", "no such folder"), ("/x=nobody-we-know", "are expected"), ("x", "are")]
    )
    def test_that_are_not_there_or_have_no_known_user_are_refused(self, place, capsys, owner, told):
        assert told in refused(capsys, "--owner", owner)


class TestMonitoring:
    def test_finds_every_part_by_its_name(self, place):
        main(["compose"])
        configuration = yaml.safe_load((place / "rendered" / "prometheus.yml").read_text())
        jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in configuration["scrape_configs"]}
        assert jobs["gateway"] == ["gateway:8080"]
        assert jobs["trainer-worker"] == ["trainer-worker:9102"]
        assert jobs["triton"] == ["triton:8002"]
        assert configuration["rule_files"] == ["rules/*.yml"]  # beside it

    def test_reads_its_token_where_alertmanagers_container_has_it(self, place):
        main(["compose"])
        receivers = yaml.safe_load((place / "rendered" / "alertmanager.yml").read_text())["receivers"]
        [webhook] = next(receiver for receiver in receivers if receiver["name"] == "alert-bridge")["webhook_configs"]
        assert webhook["url"] == "http://alert-bridge:8084/webhooks/alertmanager"
        file = Path(webhook["http_config"]["authorization"]["credentials_file"])
        assert (place / "secrets" / file.relative_to("/run/secrets/nexus")).is_file()

    def test_acts_as_fast_as_its_profile_says(self, place, monkeypatch):
        monkeypatch.setenv("NEXUS_PROFILE", "demo")
        main(["compose"])
        assert "for: 10s" in (place / "rendered" / "rules" / "trainer.yml").read_text()
        assert permissions(place / "rendered" / "rules" / "trainer.yml") == (0, 0o644)
