"""`python -m trainer base`, small: from files to a reader that the serving engine reads with, stopped and gone on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nexus_serving.embedder_model import fetch_weights
from nexus_serving.engines.contract import Passage, ReaderRequest, Result
from nexus_serving.engines.extractive import ExtractiveReader

pytestmark = [pytest.mark.contract, pytest.mark.long, pytest.mark.timeout(900)]

CITIES = ("Oslo", "Lima", "Cairo", "Quito", "Hanoi", "Accra", "Sofia", "Minsk", "Dakar", "Turin", "Osaka", "Perth")


def library(city: str, number: int) -> list[dict[str, object]]:
    """Three questions about one passage; the last from a source that is to be left out."""
    name = f"the library of {city} number {number}"
    passage = f"In {1900 + number} {name} opened. It holds {number + 3} thousand books."
    about = {"title": city, "ctx": passage, "start": 0}
    return [
        {**about, "src": "made", "q": f"When did {name} open?", "a": str(1900 + number)},
        {**about, "src": "made", "q": f"Who built {name}?", "a": ""},
        {**about, "src": "unclear", "q": f"How many books has {name}?", "a": f"{number + 3} thousand"},
    ]


def bridge(city: str, number: int) -> dict[str, object]:
    passage = f"The bridge of {city} was finished in {1800 + number}. It is {number + 50} metres long."
    asked = [{"q": f"When was the bridge of {city} finished?", "a": [str(1800 + number)]}, {"q": "Who paid?", "a": []}]
    return {"title": city, "ctx": passage, "qas": asked}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetch_weights(tmp_path_factory.mktemp("encoder"), lambda line: None)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows, documents and a set of the shapes that the command reads."""
    folder = tmp_path_factory.mktemp("data")
    rows = [row for number in range(120) for row in library(CITIES[number % len(CITIES)], number)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "users.jsonl").write_text("\n".join(json.dumps(row) for row in rows[:60] if row["src"] == "made"))
    said = (f"The default value of `--option-{n}` is {n} seconds. It is read at the start." for n in range(40))
    document = {"src": "docs", "title": "Guide", "text": "\n\n".join(said)}
    (folder / "documents.jsonl").write_text(json.dumps(document))
    sets = [bridge(city, number) for number, city in enumerate(CITIES)]
    (folder / "bridges.json").write_text(json.dumps(sets))
    return folder


def train(encoder: Path, data: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "trainer", "base", "--out", str(out), "--encoder", str(encoder),
        "--questions", str(data / "rows.jsonl"), "--documents", str(data / "documents.jsonl"),
        "--measure-on", str(data / "bridges.json"), "--without", "unclear", "--rows", "120", "--passes", "1",
        "--finish-on", str(data / "users.jsonl"), "--calibrate-on", str(data / "users.jsonl"), *more,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(encoder: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    done = train(encoder, data, out)
    assert done.returncode == 0, done.stderr
    assert "left" in done.stdout, "it says how long it will take"
    return out


def test_what_it_makes_can_be_served(trained: Path):
    reader = ExtractiveReader(trained / "reader")
    passages = (Passage(1, "The bridge was finished in 1872."),)
    *_, result = reader.answer(ReaderRequest("When was the bridge finished?", passages))
    assert isinstance(result, Result)
    assert 0 <= result.confidence <= 1


def test_its_figures_are_there_for_programs_and_for_people(trained: Path):
    figures = json.loads((trained / "figures.json").read_text())
    assert figures["bridges"]["gold passage"]["questions"] == 24
    assert "unclear" not in figures["rows"]
    assert 0 <= figures["calibration"]["expected_calibration_error"] <= 1
    page = (trained / "report.html").read_text()
    assert page.count("data:image/png") == 3
    assert "bridges, gold passage" in page


def test_the_reader_carries_its_calibration(trained: Path):
    about = json.loads((trained / "reader" / "reader.json").read_text())
    figures = json.loads((trained / "figures.json").read_text())
    assert about["threshold"] == pytest.approx(figures["calibration"]["chosen"]["threshold"], abs=0.01)
    assert about["slope"] == pytest.approx(figures["calibration"]["slope"], abs=1e-3)


def test_the_same_again_costs_nothing_and_changes_nothing(encoder: Path, data: Path, trained: Path):
    before = json.loads((trained / "reader" / "reader.json").read_text())["digest"]
    done = train(encoder, data, trained)
    assert "Going on from step" in done.stdout
    assert json.loads((trained / "reader" / "reader.json").read_text())["digest"] == before


def test_other_settings_need_another_folder(encoder: Path, data: Path, trained: Path):
    done = train(encoder, data, trained, "--seed", "5")
    assert done.returncode == 1
    assert "Use another folder" in done.stderr


def test_data_of_another_shape_are_named(encoder: Path, tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"question": "?"}')
    rows, out = str(tmp_path / "rows.jsonl"), str(tmp_path / "out")
    command = [sys.executable, "-m", "trainer", "base", "--out", out, "--encoder", str(encoder), "--questions", rows]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"trainer: {rows}, line 1: not a question with q, ctx, a and start")
