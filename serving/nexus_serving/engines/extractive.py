"""The extractive reader: the best span of the passages, the sentence that holds it, and its number."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

from tokenizers import Tokenizer

from nexus_serving.engines.contract import Delta, ReaderRequest, Result, Support
from nexus_serving.engines.inference import length_buckets, open_session, padded
from nexus_serving.engines.sentences import sentences
from nexus_serving.engines.spans import Span, best_spans
from nexus_serving.engines.windows import Window, Windows

ABSTENTION = "The documents I can search do not say."
BATCH_TOKENS = 2048

Cancelled = Callable[[], bool]


class ExtractiveReader:
    """The reader in `folder` (`model.onnx`, `tokenizer.json`, `reader.json`)."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        about = json.loads((folder / "reader.json").read_text())
        self._threshold = float(about["threshold"])
        self._windows = Windows(Tokenizer.from_file(str(folder / "tokenizer.json")))
        self._session = open_session(folder / "model.onnx", threads)

    def answer(self, request: ReaderRequest, cancelled: Cancelled = lambda: False) -> Iterator[Delta | Result]:
        """The answer's wording piece by piece, then the result; ends early, without one, when cancelled."""
        windows = self._windows.cut(request.question, request.passages, request.max_prompt_tokens)
        spans = self._spans(windows, cancelled)
        if spans is None:
            return
        prompt_tokens = sum(len(window.ids) for window in windows)
        threshold = self._threshold if request.abstain_below is None else request.abstain_below
        best = max(spans, key=lambda span: span.score, default=None)
        if best is None or best.score < threshold:
            score = best.score if best else -20.0
            yield Delta(ABSTENTION)
            yield Result(
                ABSTENTION, "", True, _sigmoid(threshold - score), prompt_tokens, self._windows.count(ABSTENTION)
            )
            return
        passage = request.passages[best.passage]
        short = passage.text[best.start : best.end].strip(" ,;:`*.")
        held = [s for s in sentences(passage.text) if s[0] < best.end and s[1] > best.start]
        start, end = held[0][0], held[-1][1]
        pieces = [f"{short}.", f' "{passage.text[start:end]}" [{passage.number}]']
        yield from map(Delta, pieces)
        answer = "".join(pieces)
        support = Support(passage.number, start, end)
        tokens = self._windows.count(answer)
        yield Result(answer, short, False, _sigmoid(best.score - threshold), prompt_tokens, tokens, (support,))

    def _spans(self, windows: list[Window], cancelled: Cancelled) -> list[Span] | None:
        spans: list[Span] = []
        for bucket in length_buckets([len(window.ids) for window in windows], BATCH_TOKENS):
            if cancelled():
                return None
            rows = [windows[number] for number in bucket]
            inputs = padded([row.ids for row in rows], [row.types for row in rows])
            logits = self._session.run(None, inputs)[0]
            for row, scores in zip(rows, logits, strict=True):
                spans += best_spans(row, scores)
        return spans


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
