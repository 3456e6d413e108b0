"""The extractive reader: it reads all passages at once and answers with the words of one of them."""

import json
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from nexus_serving.engines.answers import Draft, Quotation, best_draft
from nexus_serving.engines.contract import Delta, ReaderFailed, ReaderRequest, Result, Support
from nexus_serving.engines.embedder import Embedder
from nexus_serving.engines.inference import equal_shares, open_session, padded
from nexus_serving.engines.material import Material
from nexus_serving.engines.spans import Span, best_spans
from nexus_serving.engines.windows import Window, Windows
from nexus_serving.engines.wording import ABSTENTION

BATCH_TOKENS = 1024
"""Tokens that one worker reads in one pass; between two passes there is a chance to stop."""
EVERY_TOKEN = 1_000_000
NOTHING_THERE = -30.0
"""What a passage without a word to read is worth."""

Cancelled = Callable[[], bool]


class ExtractiveReader:
    """The reader in `folder` (`model.onnx`, `tokenizer.json`, `reader.json`), and an embedder to compare meanings."""

    at_once = 1

    def __init__(self, folder: Path, embedder: Embedder | None = None, workers: int = 2) -> None:
        about = json.loads((folder / "reader.json").read_text())
        self._threshold = float(about["threshold"])
        self._sureness = (float(about["slope"]), float(about["bias"]))
        self._windows = Windows(Tokenizer.from_file(str(folder / "tokenizer.json")))
        # Workers of one thread share a request. Threads inside a pass are no faster, and wait for one another after
        # every operator: with other processes on the same two cores that halves the speed.
        self._session = open_session(folder / "model.onnx", threads=1)
        self._embedder = embedder
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="reader")

    def answer(self, request: ReaderRequest, cancelled: Cancelled = lambda: False) -> Iterator[Delta | Result]:
        """The answer's wording piece by piece, then the result; ends early, without one, when cancelled."""
        read_all = self._read_all(request, cancelled)
        if read_all is None:
            return
        draft, read = read_all
        threshold = self._threshold if request.abstain_below is None else request.abstain_below
        if draft is None or draft.score < threshold:
            confidence = 1 - self._sure(draft.score) if draft else 1.0
            yield Delta(ABSTENTION)
            yield Result(ABSTENTION, "", True, confidence, read, self._windows.count(ABSTENTION))
            return
        yield from self._given(draft, request.max_answer_tokens, read)

    def draft(self, request: ReaderRequest) -> Draft | None:
        """The best answer, however good it is; None when there is nothing to read. For measuring."""
        read_all = self._read_all(request, lambda: False)
        return read_all[0] if read_all else None

    def scores(self, request: ReaderRequest) -> list[float]:
        """For each passage the score of its best span: how likely it holds an answer."""
        texts = [Material(passage, 0).reading.text for passage in request.passages]
        windows = self._windows.cut(request.question, texts, EVERY_TOKEN)
        best = [NOTHING_THERE] * len(texts)
        for span in self._spans(windows, lambda: False) or []:
            best[span.passage] = max(best[span.passage], span.score)
        return best

    def _read_all(self, request: ReaderRequest, cancelled: Cancelled) -> tuple[Draft | None, int] | None:
        """The best draft and how many tokens were read for it; None when cancelled."""
        materials = [Material(passage, rank) for rank, passage in enumerate(request.passages)]
        texts = [material.reading.text for material in materials]
        windows = self._windows.cut(request.question, texts, request.max_prompt_tokens)
        spans = self._spans(windows, cancelled)
        if spans is None:
            return None
        alike = self._alike if self._embedder else None
        return best_draft(request.question, materials, spans, alike), sum(len(window.ids) for window in windows)

    def close(self) -> None:
        """End its workers."""
        self._pool.shutdown(cancel_futures=True)

    def _given(self, draft: Draft, budget: int, read: int) -> Iterator[Delta | Result]:
        answer = ""
        supports = [draft.support]
        for piece in self._within(draft.pieces, budget):
            answer += piece
            yield Delta(piece)
        if draft.second and self._windows.count(answer + draft.second[0]) <= budget:
            answer += draft.second[0]
            supports.append(draft.second[1])
            yield Delta(draft.second[0])
        yield Result(
            answer, draft.short, False, self._sure(draft.score), read, self._windows.count(answer), _ranges(supports)
        )

    def _within(self, pieces: tuple[str, ...], budget: int) -> Iterator[str]:
        """The pieces that fit the budget; the last, which holds the citation, is always said."""
        for piece in pieces[:-1]:
            budget -= self._windows.count(piece)
            if budget < 0:
                break
            yield piece
        yield pieces[-1]

    def _spans(self, windows: list[Window], cancelled: Cancelled) -> list[Span] | None:
        """The best spans of all windows; None when cancelled before all were read."""
        if not windows:
            return []
        shares = equal_shares([len(window.ids) for window in windows], self._workers, BATCH_TOKENS)
        running: deque[Future[list[Span]]] = deque()
        spans: list[Span] = []
        for share in shares:
            if len(running) == self._workers:
                spans += running.popleft().result()
            if cancelled():
                return None
            running.append(self._pool.submit(self._read, [windows[number] for number in share]))
        return spans + [span for future in running for span in future.result()]

    def _read(self, rows: list[Window]) -> list[Span]:
        logits = self._session.run(None, padded([row.ids for row in rows], [row.types for row in rows]))[0]
        if not np.isfinite(logits).all():
            # No span would be found, and damaged weights would pass for documents that do not say.
            raise ReaderFailed("Its scores are no numbers; its weights are damaged.")
        return [span for row, scores in zip(rows, logits, strict=True) for span in best_spans(row, scores)]

    def _alike(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        assert self._embedder is not None
        vectors, _ = self._embedder.embed([question, *texts])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    def _sure(self, score: float) -> float:
        """The probability that an answer of this score is right, as it was on the calibration split."""
        slope, bias = self._sureness
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, slope * score + bias))))


def _ranges(quotations: Sequence[Quotation]) -> tuple[Support, ...]:
    return tuple(Support(one.material.passage.number, one.start, one.end) for one in quotations)
