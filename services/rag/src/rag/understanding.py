"""What is asked, what was said before, and whether it is a question about documents at all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from opskit.contracts.reader import Turn
from opskit.errors import InvalidRequest

from rag.follow_up import standalone
from rag.ports import Exchange, Found
from rag.small_talk import SmallTalk, small_talk

LONGEST_QUESTION = 8000


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for an answer, as it came in."""

    answer_id: str
    tenant: str
    knowledge_base: str
    messages: Sequence[Turn]
    conversation_id: str
    is_new_conversation: bool = False
    passages: int | None = None
    max_tokens: int | None = None
    release: str | None = None
    """The release that is asked by its id, whatever the conversation's would be."""
    given: Sequence[Found] | None = None
    """Passages to be read in place of what a search would find."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A question that can be understood alone."""

    asked: str
    question: str
    history: list[Exchange]
    talk: SmallTalk | None


def question_of(messages: Sequence[Turn]) -> str:
    """The last thing the user said. Raises InvalidRequest."""
    asked = next((turn.content for turn in reversed(messages) if turn.role == "user"), "").strip()
    if not asked:
        raise InvalidRequest("The last user message is empty; ask something.", param="messages")
    if len(asked) > LONGEST_QUESTION:
        raise InvalidRequest(f"A question may have at most {LONGEST_QUESTION} characters.", param="messages")
    return asked


def earlier_exchanges(messages: Sequence[Turn]) -> list[Exchange]:
    """What a client sent of the conversation itself, without its last question."""
    last = max((number for number, turn in enumerate(messages) if turn.role == "user"), default=0)
    exchanges: list[Exchange] = []
    for turn in messages[:last]:
        if turn.role == "user":
            exchanges.append(Exchange(turn.content, ""))
        elif exchanges:
            before = exchanges[-1]
            exchanges[-1] = Exchange(before.question, f"{before.answer}\n{turn.content}".strip())
    return exchanges


def understand(asked: str, history: Sequence[Exchange], *, turns: int) -> Understood:
    """Make the question stand alone, with the help of at most so many earlier ones."""
    recent = list(history[len(history) - turns :] if turns < len(history) else history) if turns else []
    talk = small_talk(asked)
    question = asked if talk else standalone([*(exchange.question for exchange in recent), asked])
    return Understood(asked=asked, question=question, history=recent, talk=talk)
