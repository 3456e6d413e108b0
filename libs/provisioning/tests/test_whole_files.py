"""A file is whole or not there, after a power cut too."""

import os
import stat
from pathlib import Path

import pytest
from provisioning import whole_files


def test_its_name_is_on_the_disk_when_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, synced = tmp_path / "secret", []
    sync = os.fsync

    def watched(opened: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(opened).st_mode), file.exists()))
        sync(opened)

    monkeypatch.setattr(os, "fsync", watched)
    whole_files.write(file, "text")
    assert synced == [(False, False), (True, True)], "the content before it has its name, and then the folder"
    assert (file.read_text(), list(tmp_path.iterdir())) == ("text", [file])
