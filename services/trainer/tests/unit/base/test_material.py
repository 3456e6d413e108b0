"""What a reader is trained on: rows, questions made by rules, impossible ones, wrong passages, batches."""

import json
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer
from trainer.base.batches import BATCH_TOKENS, LENGTHS, Encoder, batches
from trainer.base.groups import Group, Material, Mixture, rows_from_documents
from trainer.base.made_questions import questions
from trainer.base.measuring import as_searched
from trainer.base.neighbours import Neighbours
from trainer.base.rows import Document, Row, UnreadableData, Unseen, read_documents, read_rows
from trainer.base.swapped import impossible

TOKENIZER = Path(__file__).resolve().parents[5] / "models" / "reader" / "tokenizer.json"
NILE = "The Nile is 6,650 km long. It flows through Egypt to the Mediterranean Sea, and has fed people since 5000 BC."
RHINE = "The Rhine is 1,230 km long. It flows through Germany to the North Sea, and carries many ships every day."
MOON = "The Moon circles the Earth once in 27 days. Twelve people have walked on it between 1969 and 1972."


def row(passage: str, question: str, answer: str) -> Row:
    start = passage.index(answer) if answer else -1
    return Row("s", "t", passage, question, start, start + len(answer))


ROWS = [
    row(NILE, "How long is the Nile?", "6,650 km"),
    row(RHINE, "How long is the Rhine?", "1,230 km"),
    row(MOON, "How many people have walked on the Moon?", "Twelve"),
    row(MOON, "How many people have walked on Mars?", ""),
]


class TestRows:
    def write(self, folder: Path, *rows: dict[str, object]) -> Path:
        path = folder / "rows.jsonl"
        path.write_text("\n".join(json.dumps(one) for one in rows))
        return path

    def test_answers_stand_where_they_are_said_or_are_looked_for(self, tmp_path: Path):
        body = {"q": "How long?", "ctx": NILE, "a": "6,650 km"}
        path = self.write(
            tmp_path, {**body, "start": 12}, {**body, "start": 0}, {**body, "a": "9 km"}, {**body, "a": ""}
        )
        read = list(read_rows(path))
        assert [one.answer for one in read] == ["6,650 km", "6,650 km", ""]
        assert not read[-1].answered

    def test_a_line_that_is_no_row_is_named(self, tmp_path: Path):
        path = self.write(tmp_path, {"q": "How long?", "ctx": NILE, "a": "6,650 km"}, {"q": "no passage"})
        with pytest.raises(UnreadableData, match=r"rows\.jsonl, line 2: not a question with q, ctx, a and start"):
            list(read_rows(path))
        (tmp_path / "rows.jsonl").write_text("{")
        with pytest.raises(UnreadableData, match="line 1: not JSON"):
            list(read_documents(path))

    def test_what_an_evaluation_set_has_is_kept_out(self):
        unseen = Unseen([NILE], ["How many people have walked on the moon"])
        assert [unseen(one) for one in ROWS] == [False, True, False, True]


class TestMadeQuestions:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            (
                "The default value of `--timeout` is 30 seconds. Set it with care on a slow network today.",
                "30 s",
            ),
            (
                "An ApplicationSet is a controller that makes applications from one template for many clusters.",
                "a ",
            ),
            (
                "To restart the server, run the command `systemctl restart nexus` as root on each machine.",
                "run ",
            ),
        ],
    )
    def test_sentences_of_known_forms_give_questions(self, text: str, answer: str):
        made = [one for seed in range(8) for one in questions(Document("s", "G", text), text, Random(seed), 3)]
        assert any(one.answer.startswith(answer) for one in made), made
        assert all(one.passage[one.start : one.end] == one.answer for one in made)

    def test_a_text_without_such_sentences_gives_none(self):
        poem = "Oh! The sea. Blue, blue."
        assert questions(Document("s", "Poem", poem), poem, Random(1), 3) == []

    def test_documents_give_about_as_many_as_wanted(self):
        text = "\n\n".join(
            f"The default value of `--option-{n}` is {n} seconds. It is read once at the start." for n in range(60)
        )
        made = rows_from_documents([Document("s", f"Guide {n}", text) for n in range(9)], 20, Random(1))
        assert 5 <= len(made) <= 20
        assert all(one.answered for one in made)


class TestWrongPassages:
    def test_the_nearest_passages_come_first(self):
        assert Neighbours([NILE, RHINE, MOON]).of(["How long is the Rhine?"], 2)[0][0] == 1

    def test_one_with_the_answer_in_it_is_not_wrong(self):
        neighbours = Neighbours([NILE, RHINE, MOON])
        assert neighbours.wrong([0, 1, 2], NILE, "Germany", Random(1)) == MOON
        assert neighbours.wrong([0], NILE, "", Random(1)) is None

    def test_an_impossible_question_is_another_one(self):
        made = {
            impossible("How long is the Nile in Egypt since 5000 BC?", NILE, RHINE, Random(seed)) for seed in range(30)
        }
        made.discard(None)
        assert made
        assert "How long is the Nile in Egypt since 5000 BC?" not in made


class TestGroups:
    def test_each_pass_makes_other_groups_of_the_same_rows(self):
        material = Material(ROWS)
        first, again = (material.groups(Random(seed), Mixture()) for seed in (1, 1))
        other = material.groups(Random(2), Mixture())
        assert first == again
        assert first != other

    def test_the_answer_is_in_the_first_passage_and_in_no_other(self):
        mixture = Mixture(wrong_beside=1.0, right_gone=1.0, made_impossible=0.0, capitals_gone=0.0)
        for group in Material(ROWS).groups(Random(1), mixture):
            if group.start < 0:
                continue
            answer = group.passages[0][group.start : group.end]
            assert answer
            assert all(answer.lower() not in other.lower() for other in group.passages[1:])

    def test_other_passages_stand_beside_an_answer_and_are_never_asked_about(self):
        other = "The river Rhone flows through Lyon; the Rhine does not."
        mixture = Mixture(wrong_beside=1.0, right_gone=1.0, made_impossible=0.0)
        groups = [group for seed in range(5) for group in Material(ROWS, [other]).groups(Random(seed), mixture)]
        assert any(other in group.passages for group in groups)
        assert all(group.start < 0 for group in groups if group.passages[0] == other)

    def test_held_out_rows_are_read_among_what_a_search_gives(self):
        rhone = "The Rhone flows through Lyon, and many people swim in it."
        asked = as_searched(ROWS, {rhone: "Rhone"}, Random(1), gone=0.5)
        for one, passages in asked:
            texts = [passage.text for passage in passages]
            assert (one.passage in texts) or not one.answers
            assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
        assert any(passage.title == "Rhone" for _, passages in asked for passage in passages)


class TestBatches:
    @pytest.fixture(scope="class")
    def encoder(self) -> Encoder:
        return Encoder(Tokenizer.from_file(str(TOKENIZER)))

    def decoded(self, ids: list[int]) -> str:
        return Tokenizer.from_file(str(TOKENIZER)).decode(ids)

    def test_the_answers_tokens_are_found_again(self, encoder: Encoder):
        long = f"{'Many other words stand here. ' * 120}{NILE}{' And more words follow after it.' * 120}"
        start = long.index("6,650 km")
        groups = [Group("How long is the Nile?", (long, RHINE), start, start + 8)]
        for seed in range(20):
            (made,) = encoder.encode(groups, Random(seed))
            tokens, _ = made.rows[0]
            assert len(tokens) <= LENGTHS[-1]
            assert self.decoded(tokens[made.first : made.last + 1]).replace(" ", "") == "6,650km"

    def test_batches_are_of_few_shapes_and_lose_nothing(self, encoder: Encoder):
        groups = Material(ROWS * 30).groups(Random(1), Mixture())
        made = encoder.encode(groups, Random(1))
        packed = list(batches(made, Random(1)))
        assert sum(batch.size for batch in packed) == len(made) == len(groups)
        for batch in packed:
            assert batch.tokens.shape[1] in LENGTHS
            assert batch.tokens.size <= BATCH_TOKENS
            answered = batch.answer_row[: batch.size] >= 0
            assert (batch.first[: batch.size][answered] > 0).all()
