"""Lists of documents, uploads, conversations and words."""

from datetime import UTC, datetime, timedelta

import pytest
from ui.catalogue import BASE_NAME, Upload, counts, followed, listed, upload_key
from ui.conversation import Conversation, Turn
from ui.models import Document, Finished
from ui.wording import Trouble, ago, counted, duration, file_name, folder


def document(key: str, status: str = "indexed") -> Document:
    return Document(document=key, status=status)


class TestList:
    DOCUMENTS = (document("hr/Holidays.md"), document("b.md", "queued"), document("c.md", "failed"))

    def test_every_word_of_the_search_must_be_in_the_key(self):
        assert [d.document for d in listed(self.DOCUMENTS, text="holi HR")] == ["hr/Holidays.md"]

    def test_counts_what_is_there_and_leaves_out_what_is_deleted(self):
        number = counts([*self.DOCUMENTS, document("d.md", "deleted"), document("e.md", "indexing")])
        assert dict(number) == {"All": 4, "Indexed": 1, "In progress": 2, "Failed": 1}


class TestUploads:
    def test_takes_the_state_from_the_list_and_names_those_it_does_not_hold(self):
        here, elsewhere, refused = (
            Upload("a.md", "x"),
            Upload("a.md", "y"),
            Upload("b.md", "x", trouble=Trouble("", "")),
        )
        assert followed([here, elsewhere, refused], "x", [document("a.md")]) == [elsewhere]
        assert here.settled
        assert not elsewhere.settled
        assert refused.settled

    @pytest.mark.parametrize(
        ("place", "key"),
        [("", "a.md"), ("x", "x/a.md"), ("/x//y/ ", "x/y/a.md"), ("x\\y", "x/y/a.md"), ("..", "../a.md")],
    )
    def test_the_key_of_a_file_in_a_folder(self, place, key):
        assert upload_key(place, "a.md") == key  # what may not be a key is for the gateway to refuse

    @pytest.mark.parametrize(("name", "fits"), [("default", True), ("team-7", True), ("Team", False), ("-a", False)])
    def test_names_of_knowledge_bases(self, name, fits):
        assert bool(BASE_NAME.fullmatch(name)) is fits


class TestConversation:
    def test_a_stopped_turn_keeps_what_came_and_a_finished_one_cannot_be_stopped(self):
        turn = Turn("How long?")
        turn.hear("15 ", after=0.1)
        turn.hear("days", after=0.2)
        turn.stop()
        assert (turn.state, turn.text, turn.first_words_seconds) == ("stopped", "15 days", 0.1)
        done = Turn("How long?")
        done.finish(Finished("ans_1"), after=1.0)
        done.stop()
        assert done.state == "answered"

    def test_asking_again_takes_the_place_of_the_failed_turn(self):
        chat = Conversation()
        first, second = chat.ask("one"), chat.ask("two")
        chat.ask_again(first.number)
        assert [(turn.question, turn.state) for turn in chat.turns] == [("one", "asking"), ("two", "asking")]
        assert chat.turn(first.number) is None
        assert chat.turn(second.number) is second


class TestWords:
    NOW = datetime(2026, 11, 20, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("past", "said"),
        [
            (timedelta(seconds=4), "just now"),
            (timedelta(minutes=1), "1 minute ago"),
            (timedelta(hours=5), "5 hours ago"),
            (timedelta(days=2), "2 days ago"),
            (timedelta(seconds=-30), "just now"),
        ],
    )
    def test_how_long_ago(self, past, said):
        assert ago(self.NOW - past, self.NOW) == said

    def test_numbers_durations_and_names(self):
        assert (counted(1, "document"), counted(1200, "document")) == ("1 document", "1,200 documents")
        assert (duration(0.423), duration(12.4)) == ("0.42 s", "12 s")
        assert (file_name("a/b.md"), folder("a/b.md"), folder("b.md"), ago(None, self.NOW)) == ("b.md", "a", "", "")
