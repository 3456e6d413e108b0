"""The words people read: what went wrong and what to do, times, names. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from ui.errors import (
    Broken,
    Busy,
    GatewayError,
    Interrupted,
    InTheWay,
    KeyRefused,
    NotThere,
    Rejected,
    ScopeMissing,
    Unreachable,
)
from ui.models import Citation

SERVICES = {
    "gateway": "The one door to the platform",
    "rag": "Finds passages and writes answers",
    "ingest": "Reads documents and indexes them",
    "trainer": "Keeps feedback, improves the model",
    "alert-bridge": "Turns alerts into actions",
    "alert_bridge": "Turns alerts into actions",
}


@dataclass(frozen=True)
class Trouble:
    """What went wrong in a few words, and what to do about it."""

    title: str
    advice: str


def explained(error: GatewayError) -> Trouble:
    """An error in the words of the person it happens to."""
    match error:
        case Unreachable():
            return Trouble(
                "The platform is not reachable",
                f"{error.message} `make status` shows what is running and `make up` starts it.",
            )
        case KeyRefused():
            return Trouble(
                "The key was refused", "NEXUS_API_KEY of this chatbot is unknown to the gateway or was revoked."
            )
        case ScopeMissing():
            return Trouble(
                "This key may not do that", f"{error.message} Ask an administrator for a key with that scope."
            )
        case NotThere():
            return Trouble("It is not there any more", error.message or "Somebody may have deleted it.")
        case InTheWay():
            return Trouble("Not as things stand", error.message)
        case Busy():
            when = f"in {_seconds(error.retry_after)}" if error.retry_after else "in a moment"
            return Trouble("Not just now", f"{error.message} Try again {when}.")
        case Interrupted():
            return Trouble("The answer broke off", f"{error.message} Asking again usually helps.")
        case Rejected():
            return Trouble("That did not work", error.message)
        case Broken() | _:
            return Trouble("Something broke on our side", f"{error.message} If it stays, `make logs` has the details.")


def source_name(citation: Citation) -> str:
    """What a citation is called: its title, or the name of its file."""
    return citation.title.strip() or file_name(citation.document)


def source_place(citation: Citation) -> str:
    """Where a citation stands: the document, and the page where there are pages."""
    page = f" · page {citation.page}" if citation.page else ""
    return f"{citation.document}{page}"


def file_name(key: str) -> str:
    """The last part of a document's key."""
    return PurePosixPath(key).name or key


def folder(key: str) -> str:
    """The folders of a document's key, or nothing."""
    return key.rpartition("/")[0]


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago something was, roughly."""
    if moment is None:
        return ""
    past = max(now - moment, timedelta())
    for unit, name in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if past >= unit:
            return f"{counted(past // unit, name)} ago"
    return "just now"


def counted(number: int, noun: str) -> str:
    """`3 documents`, `1 document`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def date_and_time(moment: datetime) -> str:
    """`21 Nov 2026, 14:05 UTC`."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """`0.42 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds >= 3600:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
    if seconds >= 100:
        return f"{seconds // 60:.0f} min {seconds % 60 // 1:.0f} s"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _seconds(number: int) -> str:
    return counted(number, "second")
