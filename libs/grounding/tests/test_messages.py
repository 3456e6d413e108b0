"""What a model is asked, within its context."""

import pytest
from grounding.messages import Message, Shown, TooLong, chat_messages, fitted

PASSAGES = [Shown(number, f"Passage number {number}. " * 5, "Title") for number in (1, 2, 3)]
HISTORY = [{"role": role, "content": f"{role} {turn}"} for turn in range(3) for role in ("user", "assistant")]


def words(messages: list[Message]) -> int:
    return sum(len(message["content"].split()) for message in messages)


def fit(room: int, passages: list[Shown] = PASSAGES) -> tuple[list[Message], int]:
    return fitted("Why?", passages, HISTORY, instructions="Be brief.", abstention="No.", room=room, count=words)


def test_the_passages_are_numbered_and_stand_before_the_question():
    asked = chat_messages("Why?", [Shown(1, "Because.", "FAQ", "Reasons"), Shown(2, "Not so.")])[-1]["content"]
    assert asked == "[1] FAQ > Reasons\nBecause.\n\n[2] Not so.\n\nQuestion: Why?"


def test_the_instructions_say_how_to_say_no():
    system = chat_messages("Why?", [], instructions="Be brief.", abstention="No idea.")[0]
    assert system["role"] == "system"
    assert system["content"] == "Be brief.\nWhen they do not hold the answer, reply only: No idea."


def test_a_conversation_is_given_in_pairs():
    history = [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "alone"}, *HISTORY]
    assert [one["role"] for one in chat_messages("Why?", [], history[2:5])] == ["system", "user", "assistant", "user"]
    assert len(chat_messages("Why?", [], history[1:2])) == 2


def test_with_room_everything_is_given():
    messages, shown = fit(1000)
    assert (len(messages), shown) == (8, 3)


def test_the_oldest_of_the_conversation_goes_first_then_the_last_passages():
    full = words(fit(1000)[0])
    messages, shown = fit(full - 1)
    assert (len(messages), shown) == (6, 3)
    assert messages[1]["content"] == "user 1"
    messages, shown = fit(words(chat_messages("Why?", PASSAGES[:2], instructions="Be brief.", abstention="No.")))
    assert (len(messages), shown) == (2, 2)


def test_a_question_that_does_not_fit_with_one_passage_is_refused_with_what_to_do():
    with pytest.raises(TooLong, match="shorter question"):
        fit(5)
