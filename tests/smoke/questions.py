"""A document of each kind of fact, and questions whose answers are known. Everything in it is made up."""

from dataclasses import dataclass

from tests.e2e.clients import Answer, Nexus

DOCUMENTS = {
    "smoke/lighthouse.md": (
        "# The lighthouse of Karrow Point\n\n"
        "The lamp of the lighthouse stands 61 metres above the sea. It was lit for the first time in 1874.\n\n"
        "## Visits\n\nVisitors may climb the tower on Sundays between ten and four o'clock.\n"
    ),
    "smoke/ferry.txt": (
        "THE FERRY TO KARROW POINT\n\nThe ferry Annelise leaves the mainland at a quarter past eight every morning.\n\n"
        "A return ticket costs 14 crowns; children under six travel free of charge.\n"
    ),
}


@dataclass(frozen=True)
class Question:
    """What is asked, what the answer must say, and where it stands."""

    text: str
    says: str
    document: str


QUESTIONS = (
    Question("How high above the sea is the lamp of the lighthouse?", "61", "smoke/lighthouse.md"),
    Question("When was the lighthouse lit for the first time?", "1874", "smoke/lighthouse.md"),
    Question("What does a return ticket for the ferry cost?", "14", "smoke/ferry.txt"),
)
UNANSWERABLE = "Which football club won the cup in Lisbon in 1998?"


def store(nexus: Nexus, *, seconds: float) -> None:
    """Put the documents and wait until they are searchable."""
    for key, text in DOCUMENTS.items():
        nexus.add(key, text, seconds=seconds)


def ask_everything(nexus: Nexus, *, release: str | None) -> None:
    """Every question, whole and streamed, one that no document answers, and a vote. Raises AssertionError."""
    for question in QUESTIONS:
        check(question, nexus.ask(question.text), release=release)
    streamed = nexus.stream(QUESTIONS[0].text)
    assert streamed.done, "the stream did not end"
    check(QUESTIONS[0], streamed.answer, release=release)
    nothing = nexus.ask(UNANSWERABLE)
    assert nothing.abstained, f"{UNANSWERABLE} No document says, and the answer was: {nothing.text}"
    vote = nexus.vote(nexus.ask(QUESTIONS[0].text).id, "up")
    assert vote.status_code == 201, f"a vote was answered with {vote.status_code}: {vote.text}"


def check(question: Question, answer: Answer, *, release: str | None) -> None:
    """The answer says it, cites the document to the letter, and is the release's. Raises AssertionError."""
    assert question.says in answer.text, f"{question.text} {question.says} was expected, and not: {answer.text}"
    quotes = {citation["quote"] for citation in answer.citations if citation["document"] == question.document}
    assert quotes, f"{question.text} {question.document} is not cited"
    for quote in quotes:
        assert quote in DOCUMENTS[question.document], f"{question.text} {question.document} does not say: {quote}"
    if release is not None:
        answered = answer.details["release"]
        assert answered == release, f"{answered} answers, and not {release}"


def clear_up(nexus: Nexus) -> None:
    """Whatever happened, leave nothing behind."""
    for key in DOCUMENTS:
        nexus.delete(key)
