"""A release of another environment becomes the champion here: fetched, checked, promoted. MLflow, Triton: fakes."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nexus_serving.layout import SHIPPED_READER, Layout
from nexus_serving.llama.folder import ADAPTER, OfLanguageModel, write_folder
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.errors import NotFound
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.sql_releases import SqlReleases
from trainer.adopting import WrongParts, adopt
from trainer.deploying import Deployer
from trainer.improvement.releases import NotAllowed, State

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTINGS = {"prompt": {"instructions": "Answer."}, "retrieval": {"passages": 6}}
DIGEST = str(json.loads((SHIPPED_READER / "reader.json").read_text())["digest"])
WANTED = release_id(DIGEST, SETTINGS, "embedder")
BUNDLE = ReleaseBundle(
    release=WANTED,
    reader_model=f"reader_{DIGEST[:12]}",
    reader_digest=DIGEST,
    embedder_fingerprint="embedder",
    engine="extractive",
    settings=SETTINGS,
)


class FakeRegistry:
    """Another environment's MLflow, with the shipped reader as somebody's."""

    def __init__(self) -> None:
        self.bundle, self.fetched, self.damaged, self.empty = BUNDLE, 0, False, False
        self.reader = SHIPPED_READER

    def fetch(self, release: str, into: Path) -> None:
        if self.empty:
            raise NotFound(f"There is no {release}.")
        self.fetched += 1
        (into / "bundle.json").write_text(self.bundle.model_dump_json())
        (into / "release.json").write_text('{"git_commit": "abc"}')
        shutil.copytree(self.reader, into / "reader")
        if self.damaged:
            with (into / "reader" / "tokenizer.json").open("a") as file:
                file.write(" ")


class FakeServed:
    def __init__(self) -> None:
        self.loads: list[tuple[str, Path]] = []

    def load(self, model: str, reader: Path, digest: str) -> None:
        self.loads.append((model, reader))

    def loaded(self) -> set[str]:
        return {model for model, _ in self.loads}


class World:
    def __init__(self, releases: SqlReleases, folder: Path) -> None:
        self.registry, self.served, self.releases = FakeRegistry(), FakeServed(), releases
        self.readers = LocalReaders(folder, Layout(folder, folder))
        self.deployer = Deployer(releases, self.readers, self.served)  # type: ignore[arg-type]

    def adopt(self, release: str = WANTED) -> str:
        return adopt(release, self.registry, self.releases, self.readers, self.deployer, now=NOON)

    def state(self) -> State | None:
        return next((one.state for one in self.releases.all() if one.id == WANTED), None)


@pytest.fixture
def world(engine, tmp_path: Path) -> World:
    return World(SqlReleases(engine), tmp_path)


def test_it_is_fetched_loaded_and_promoted_and_the_second_time_nothing_happens(world):
    assert world.adopt() == f"{WANTED} is the champion now."
    assert world.state() is State.CHAMPION
    assert [model for model, _ in world.served.loads] == [BUNDLE.reader_model]
    assert (world.served.loads[0][1] / "model.onnx").exists()
    assert world.releases.parts(WANTED) == {"git_commit": "abc"}
    assert world.releases.changes(WANTED)[0].who == "git"

    assert world.adopt() == f"{WANTED} is the champion already."
    assert (world.registry.fetched, len(world.served.loads)) == (1, 1)


def test_one_that_was_followed_by_another_comes_back_without_being_fetched_again(world):
    world.adopt()
    other = BUNDLE.model_copy(update={"release": "rel_other", "reader_model": "reader"})
    world.releases.start_with(other, now=NOON)
    world.deployer.roll_back(who="me", why="a test", now=NOON)
    assert world.state() is State.RETIRED
    world.adopt()
    assert (world.state(), world.registry.fetched) == (State.CHAMPION, 1)


def test_own_leaves_everything_as_it_is(world):
    assert "decides" in world.adopt("own")
    assert (world.registry.fetched, world.releases.all()) == (0, [])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"release": "rel_other"}, "What is published as"),
        ({"settings": {**SETTINGS, "retrieval": {"passages": 1}}}, "What is published as"),
        ({"reader_digest": "another"}, "What is published as"),
    ],
)
def test_what_is_not_what_its_id_says_is_refused(world, changes, says):
    world.registry.bundle = BUNDLE.model_copy(update=changes)
    with pytest.raises(WrongParts, match=says):
        world.adopt()
    assert (world.state(), world.served.loads) == (None, [])


def test_a_damaged_reader_is_refused(world):
    world.registry.damaged = True
    with pytest.raises(WrongParts, match="is another one"):
        world.adopt()
    assert world.state() is None


@pytest.mark.parametrize(
    "name",
    ["reader_../../x", "../reader", "/etc", "", "reader_", "embedder", f"reader_{DIGEST}", "reader_0123456789ab"],
)
def test_a_name_that_is_not_the_readers_own_is_refused_before_anything_is_kept(world, tmp_path, name):
    world.registry.bundle = BUNDLE.model_copy(update={"reader_model": name})
    with pytest.raises(WrongParts, match="is called"):
        world.adopt()
    assert (world.state(), world.served.loads, list(tmp_path.glob("rel_*"))) == (None, [], [])


def test_a_release_of_the_reader_that_triton_starts_with_has_nothing_to_load(world):
    world.registry.bundle = BUNDLE.model_copy(update={"reader_model": "reader"})
    world.adopt()
    assert (world.state(), world.served.loads) == (State.CHAMPION, [])


class TestALanguageModel:
    @pytest.fixture
    def tuned(self, world, tmp_path: Path) -> str:
        """Published as the reader; gives the release."""
        world.registry.reader = tmp_path / "published"
        world.registry.reader.mkdir()
        (world.registry.reader / ADAPTER).write_bytes(b"learnt")
        digest = write_folder(world.registry.reader, OfLanguageModel("m.gguf", "0" * 64, 2048, "ranker")).digest
        changed = {"reader_digest": digest, "reader_model": f"reader_{digest[:12]}", "engine": "llama.cpp"}
        wanted = release_id(digest, SETTINGS, "embedder")
        world.registry.bundle = BUNDLE.model_copy(update={**changed, "release": wanted})
        return wanted

    def test_is_adopted_with_its_adapter(self, world, tuned, tmp_path):
        world.adopt(tuned)
        assert (tmp_path / tuned / "reader" / ADAPTER).read_bytes() == b"learnt"

    @pytest.mark.parametrize("came", [b"lear", None])
    def test_whose_adapter_did_not_come_whole_is_refused_and_brought_again(self, world, tuned, tmp_path, came):
        adapter = world.registry.reader / ADAPTER
        adapter.write_bytes(came) if came else adapter.unlink()
        with pytest.raises(WrongParts, match="is not whole"):
            world.adopt(tuned)
        assert not (tmp_path / tuned).exists()
        adapter.write_bytes(b"learnt")
        world.adopt(tuned)
        assert (tmp_path / tuned / "reader" / ADAPTER).read_bytes() == b"learnt"


def test_one_that_nobody_published_is_said_to_be_missing(world):
    world.registry.empty = True
    with pytest.raises(NotFound):
        world.adopt()


def test_one_that_was_rolled_back_here_stays_so(world):
    world.adopt()
    world.releases.move(lambda all_, _: _rolled_back(all_))
    with pytest.raises(NotAllowed, match="final"):
        world.adopt()


def _rolled_back(releases):
    from dataclasses import replace

    from trainer.improvement.releases import Moves

    return Moves(tuple(replace(one, state=State.ROLLED_BACK) for one in releases))
