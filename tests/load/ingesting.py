"""How fast documents become searchable, and what is embedded for it."""

import time
from collections.abc import Iterator

from tests.e2e.clients import Nexus, metric
from tests.e2e.library import long_pdf
from tests.e2e.waiting import until
from tests.evaluation import platform
from tests.evaluation.corpus import Corpus
from tests.load.figures import Figure

GROUP = "documents"
_QUESTION = "How long may a pilot boat of Brevik wait?"
_SENTENCE = "A pilot boat of Brevik may wait for {} minutes."


def measure(nexus: Nexus, corpus: Corpus, worker_url: str) -> Iterator[Figure]:
    """The whole corpus, the same again, one sentence edited, a PDF, and the way of an edit into answers."""
    name = f"{len(corpus.documents)} documents, last PUT to all searchable"
    yield Figure(GROUP, name, platform.ingest(nexus, corpus), "s", goal=120)
    before = metric(worker_url, "nexus_embeddings_total")
    platform.ingest(nexus, corpus)
    again = metric(worker_url, "nexus_embeddings_total") - before
    yield Figure(GROUP, "embeddings when all are put again unchanged", again, "", goal=0)
    yield from _edited_sentence(nexus, worker_url)
    yield Figure(GROUP, "10-page PDF, PUT to searchable", _timed_pdf(nexus), "s", goal=5)
    yield from _way_into_answers(nexus)


def _edited_sentence(nexus: Nexus, worker_url: str) -> Iterator[Figure]:
    paragraphs = [f"Paragraph {n} of the log says what was seen on day {n}, and by whom. " * 8 for n in range(20)]
    nexus.add("made/log.md", "# Log\n\n" + "\n\n".join(paragraphs))
    before = metric(worker_url, "nexus_embeddings_total")
    paragraphs[7] = paragraphs[7].replace("what was seen", "what was heard", 1)
    done = nexus.add("made/log.md", "# Log\n\n" + "\n\n".join(paragraphs))
    embedded = metric(worker_url, "nexus_embeddings_total") - before
    yield Figure(GROUP, f"embeddings for one edited sentence of {done['chunks']} chunks", embedded, "", goal=2)


def _timed_pdf(nexus: Nexus) -> float:
    data = long_pdf(10)
    began = time.monotonic()
    nexus.add("made/ten-pages.pdf", data)
    return time.monotonic() - began


def _way_into_answers(nexus: Nexus) -> Iterator[Figure]:
    nexus.add("made/pilots.md", "# Pilots\n\n" + _SENTENCE.format(25))
    until(lambda: "25" in nexus.ask(_QUESTION).text, "the fact is in the answer")
    began = time.monotonic()
    nexus.put("made/pilots.md", "# Pilots\n\n" + _SENTENCE.format(40)).raise_for_status()
    until(lambda: "40" in nexus.ask(_QUESTION).text, "the edit is in the answer", every=0.02)
    yield Figure(GROUP, "an edit, PUT to answer", time.monotonic() - began, "s", goal=10)
    began = time.monotonic()
    nexus.delete("made/pilots.md").raise_for_status()
    until(lambda: "40" not in nexus.ask(_QUESTION).text, "the document is gone from the answer", every=0.02)
    yield Figure(GROUP, "a delete, DELETE to answer", time.monotonic() - began, "s", goal=10)
