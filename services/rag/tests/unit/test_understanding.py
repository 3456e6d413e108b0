"""What is being asked."""

import pytest
from opskit.contracts.reader import Turn
from opskit.errors import InvalidRequest
from rag.follow_up import standalone, topic_of
from rag.ports import Exchange
from rag.small_talk import SmallTalk, small_talk
from rag.understanding import LONGEST_QUESTION, earlier_exchanges, question_of, understand


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Hello!", SmallTalk.GREETING),
        ("hi there", SmallTalk.GREETING),
        ("Good morning, how are you?", SmallTalk.GREETING),
        ("What can you do?", SmallTalk.CAPABILITIES),
        ("what can I ask you about?", SmallTalk.CAPABILITIES),
        ("Who are you?", SmallTalk.CAPABILITIES),
        ("help", SmallTalk.CAPABILITIES),
        ("Thanks a lot!", SmallTalk.THANKS),
        ("great, thank you", SmallTalk.THANKS),
        ("ok", SmallTalk.THANKS),
        ("Bye!", SmallTalk.GOODBYE),
    ],
)
def test_small_talk_is_recognised(message, kind):
    assert small_talk(message) is kind


@pytest.mark.parametrize(
    "message",
    [
        "Hello, how long is the sync interval?",
        "What can you do with helm template?",
        "How does helm help me with upgrades?",
        "Thanks. And in Helm?",
        "good morning " * 20,
        "What is hello-world?",
        "",
    ],
)
def test_a_question_with_manners_is_still_a_question(message):
    assert small_talk(message) is None


@pytest.mark.parametrize(
    ("conversation", "meant"),
    [
        (["How do I install plugins in Argo CD?", "And in Helm?"], "How do I install plugins in Helm?"),
        (["How long is a token valid?", "and for projects?"], "How long is a token valid for projects?"),
        (["What is a sync wave?", "What about hooks?"], "What is hooks?"),
        (["What is the default interval of Argo CD?", "How do I change it?"],
         "How do I change default interval of Argo CD?"),
        (["What is server-side apply?", "How do I enable it?", "And disable it?"],
         "How do I disable server-side apply?"),
        (["Which port does the API server listen on?", "Can I change it?"],
         "Can I change port the API server listen on?"),
        (["What is an ApplicationSet?", "What are its generators?"], "What are ApplicationSet's generators?"),
        (["What is the maximum size of a chart?", "What does that mean?"],
         "What does maximum size of a chart mean?"),
        (["What is the maximum size of a chart?", "thanks!", "And of a release?"],
         "What is the maximum size of a release?"),
        (["How long is a token valid?", "Why?"], "How long is a token valid: Why?"),
        (["How do I install a Helm chart?", "and how do I undo that?"], "how do I undo installing a Helm chart?"),
        (["How can I set a value?", "How do I automate this?"], "How do I automate setting a value?"),
        (["How do I upgrade the cluster?", "How long does that take?"], "How long does upgrading the cluster take?"),
        (["What is a sync wave?", "How do I undo that?"], "How do I undo sync wave?"),
    ],
)  # fmt: skip
def test_a_follow_up_is_made_to_stand_alone(conversation, meant):
    assert standalone(conversation) == meant


@pytest.mark.parametrize(
    "question",
    [
        "How do I install Helm plugins?",
        "Is it possible to install plugins without a network?",
        "Which flag shows the values that are used?",
        "What does this version of Helm require?",
        "How long does it take until a change is noticed?",
        "Which setting is it that turns on the terminal?",
        "What is Helm?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question):
    assert standalone(["What is an ApplicationSet?", question]) == question


@pytest.mark.parametrize("nothing", ["And?", "it", "this", "?", "and and and", "what about", "🤷", "a" * 9000])
def test_odd_follow_ups_break_nothing(nothing):
    assert standalone(["What is Helm?", nothing])
    assert standalone([nothing, nothing])


def test_without_a_conversation_a_follow_up_is_taken_as_it_is():
    assert standalone(["And in Helm?"]) == "And in Helm?"


def test_a_topic_is_the_question_without_its_asking():
    assert topic_of("How do I change the sync interval?") == "sync interval"


class TestHistory:
    def turns(self, *texts):
        return [Turn(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(texts)]

    def test_the_clients_messages_are_the_conversation(self):
        assert earlier_exchanges(self.turns("one?", "1.", "two?")) == [Exchange("one?", "1.")]

    def test_an_unanswered_question_is_part_of_it(self):
        turns = [Turn(role="user", content="one?"), Turn(role="user", content="two?")]
        assert earlier_exchanges(turns) == [Exchange("one?", "")]

    def test_what_comes_after_the_last_question_is_no_history(self):
        assert earlier_exchanges(self.turns("one?", "1.")) == []

    def test_the_last_user_message_is_the_question(self):
        assert question_of(self.turns("one?", "1.", "  two?  ")) == "two?"

    @pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST_QUESTION + 1)])
    def test_an_empty_or_endless_question_is_refused(self, text):
        with pytest.raises(InvalidRequest):
            question_of([Turn(role="user", content=text)])

    def test_no_user_message_is_no_question(self):
        with pytest.raises(InvalidRequest):
            question_of([Turn(role="assistant", content="Hello.")])

    def test_only_so_many_earlier_questions_are_looked_at(self):
        history = [Exchange(f"question {n}", "") for n in range(50)]
        assert len(understand("Why?", history, turns=6).history) == 6
        assert understand("Why?", history, turns=0).question == "Why?"
