"""How answers are: grounded, honest, streamed, in conversation, and open to votes."""

import openai
import pytest

from tests.e2e.clients import Nexus, metric
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def client(stack: Stack) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key=stack.key, max_retries=0)


def test_openais_own_client_chats(client: openai.OpenAI, shelf: Nexus) -> None:
    completion = client.chat.completions.create(
        model="nexus",
        messages=[{"role": "user", "content": "How long is the warranty of the Otter 3?"}],
        extra_body={"nexus": {"knowledge_base": shelf.base}},
    )
    assert completion.id.startswith("ans_")
    assert "36 months" in (completion.choices[0].message.content or "")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    assert completion.model_extra is not None
    assert completion.model_extra["citations"][0]["document"] == "otter/warranty.docx"


def test_openais_own_client_streams(client: openai.OpenAI, shelf: Nexus) -> None:
    chunks = list(
        client.chat.completions.create(
            model="nexus",
            messages=[{"role": "user", "content": "How long is the warranty of the Otter 3?"}],
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"nexus": {"knowledge_base": shelf.base}},
        )
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "36 months" in text
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    last = chunks[-1]
    assert last.usage is not None
    assert last.usage.completion_tokens > 0
    assert last.model_extra is not None
    assert last.model_extra["nexus"]["abstained"] is False


def test_openais_own_client_lists_models_and_embeds(client: openai.OpenAI) -> None:
    models = [model.id for model in client.models.list()]
    assert "nexus" in models
    assert client.models.retrieve("nexus").id == "nexus"
    embedder = next(name for name in models if name != "nexus")
    embedded = client.embeddings.create(model=embedder, input=["a pump", "a boat"])
    assert [len(row.embedding) for row in embedded.data] == [384, 384]
    assert sum(x * x for x in embedded.data[0].embedding) == pytest.approx(1, abs=1e-3)
    assert embedded.usage.total_tokens > 0


def test_openais_own_client_understands_our_errors(client: openai.OpenAI, stack: Stack) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hello"}])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{stack.url}/v1", api_key="nx_wrong", max_retries=0).models.list()


def test_a_stream_says_the_same_as_a_whole_answer_and_ends_with_its_sources(shelf: Nexus) -> None:
    question = "How long is the notice period after the probation period?"
    heard = shelf.stream(question)
    assert heard.done
    assert len([piece for piece in heard.pieces if piece]) >= 1
    assert heard.answer.text == shelf.ask(question).text
    assert heard.answer.citations
    assert heard.answer.details["knowledge_base"] == shelf.base
    assert heard.answer.details["release"].startswith("rel_")
    assert all("citations" not in chunk for chunk in heard.chunks[:-1])


def test_a_how_to_question_gets_its_steps(shelf: Nexus) -> None:
    answer = shelf.ask("How do I reset the Otter 3 controller?")
    for step in ("main breaker", "blue button", "eight seconds", "lamp turns green"):
        assert step in answer.text, answer.text
    assert {citation["document"] for citation in answer.citations} == {"otter/reset.md"}


def test_a_question_for_a_command_gets_the_command(shelf: Nexus) -> None:
    answer = shelf.ask("How do I print the last errors of the log?")
    assert "otterctl log --last 20" in answer.text, answer.text


def test_a_greeting_is_answered_kindly_and_cites_nothing(shelf: Nexus) -> None:
    answer = shelf.ask("Hello!")
    assert not answer.abstained
    assert answer.citations == []
    assert "document" in answer.text.lower()


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "How many employees does the competitor Nordhav Pumps have?",
        "What is the boiling point of mercury?",
    ],
)
def test_what_the_documents_do_not_say_is_not_answered(shelf: Nexus, question: str) -> None:
    answer = shelf.ask(question)
    assert answer.abstained, answer.text
    assert answer.citations == []
    assert "[" not in answer.text


def test_an_empty_knowledge_base_answers_that_it_is_empty(desk: Nexus) -> None:
    answer = desk.ask("How long is the warranty?")
    assert answer.abstained
    assert answer.citations == []


def test_a_follow_up_is_understood_by_its_conversation(shelf: Nexus) -> None:
    first = shelf.ask("How long is the warranty of the Otter 3?")
    conversation = first.details["conversation_id"]
    second = shelf.ask("And when will the Otter 4 be launched?", conversation_id=conversation)
    assert "September 2028" in second.text
    assert second.details["conversation_id"] == conversation
    third = shelf.ask("Where will it be launched?", conversation_id=conversation)
    assert "Hamburg" in third.text, third.text


def test_a_follow_up_is_understood_by_the_messages_before_it(shelf: Nexus) -> None:
    messages = [
        {"role": "user", "content": "When will the Otter 4 be launched?"},
        {"role": "assistant", "content": "In September 2028."},
        {"role": "user", "content": "Where will it be launched?"},
    ]
    answer = shelf.ask("unused", messages=messages)
    assert "Hamburg" in answer.text, answer.text


def test_a_vote_is_kept_and_a_second_replaces_the_first(stack: Stack, shelf: Nexus) -> None:
    answer = shelf.ask("How much is the daily allowance for trips within the country?")
    release = answer.details["release"]
    trainer = stack.part_url("trainer")

    def votes(rating: str) -> float:
        return metric(trainer, "nexus_feedback_total", release=release, rating=rating)

    before = votes("up"), votes("down")
    up = shelf.vote(answer.id, "up", comment="Right.")
    assert up.status_code == 201, up.text
    assert up.json()["rating"] == "up"
    assert votes("up") == before[0] + 1
    down = shelf.vote(answer.id, "down", correction="It is 34 euros since May.")
    assert down.status_code == 201
    assert down.json()["rating"] == "down"
    assert votes("down") == before[1] + 1


def test_a_vote_on_an_unknown_answer_is_404(shelf: Nexus) -> None:
    assert shelf.vote("ans_does_not_exist", "up").status_code == 404


def test_answers_are_counted_by_their_release(stack: Stack, shelf: Nexus) -> None:
    rag = stack.part_url("rag")
    release = shelf.ask("How long is the warranty of the Otter 3?").details["release"]
    answered = metric(rag, "nexus_answers_total", release=release, outcome="answered")
    abstained = metric(rag, "nexus_answers_total", release=release, outcome="abstained")
    shelf.ask("How long is the warranty of the Otter 3?")
    shelf.ask("What is the boiling point of mercury?")
    assert metric(rag, "nexus_answers_total", release=release, outcome="answered") == answered + 1
    assert metric(rag, "nexus_answers_total", release=release, outcome="abstained") == abstained + 1
    assert metric(rag, "nexus_time_to_first_token_seconds_count", release=release) > 0


def test_timings_say_where_the_time_went(shelf: Nexus) -> None:
    timings = shelf.ask("How long is the warranty of the Otter 3?").details["timings"]
    assert {"retrieve", "read", "first_token", "total"} <= set(timings)
    assert 0 < timings["retrieve"] < timings["total"]
    assert timings["first_token"] <= timings["total"]
