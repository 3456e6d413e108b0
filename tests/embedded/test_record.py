"""The supervisor's account, as others read it."""

import pytest
from embedded.record import PartRecord, StackRecord, State, load
from embedded.sessions import Identity


def test_what_is_written_is_read(tmp_path):
    parts = {"rag": PartRecord(State.READY, Identity(7, 99), 1.5, restarts=2), "ui": PartRecord(reason="waits")}
    written = StackRecord(Identity(1, 2), "digest", parts)
    written.save(tmp_path / "state.json")
    assert load(tmp_path / "state.json") == written


@pytest.mark.parametrize("content", ["", "{", "[]", '{"supervisor": 1}', '{"parts": {"rag": {"state": "dancing"}}}'])
def test_what_a_full_disk_tore_is_nothing(tmp_path, content):
    (tmp_path / "state.json").write_text(content)
    assert load(tmp_path / "state.json") is None


def test_where_nothing_was_written_there_is_nothing(tmp_path):
    assert load(tmp_path / "state.json") is None
