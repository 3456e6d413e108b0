"""What a route may ask for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from rag.answer import Answering
from rag.ports import AnswerLog, Embedder, Retriever
from rag.serving import Lines


@dataclass(frozen=True)
class Rag:
    """The parts made in the lifespan."""

    answering: Answering
    lines: Lines
    retriever: Retriever
    embedder: Embedder
    answers: AnswerLog
    started: int
    """When this process started, in seconds: what models call `created`."""


# A coroutine, although it awaits nothing: FastAPI sends plain functions to a thread, which costs more than they do.
async def _rag(request: Request) -> Rag:
    rag: Rag = request.app.state.rag
    return rag


RagDep = Annotated[Rag, Depends(_rag)]
