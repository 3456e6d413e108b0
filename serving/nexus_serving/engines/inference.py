"""ONNX Runtime sessions and padded batches."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


def open_session(model: Path, threads: int) -> ort.InferenceSession:
    """A CPU session of its own `threads`; idle threads sleep, because the machine is small and shared."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Batches differ in length every time: planning memory for one shape would be done again for each.
    options.enable_mem_pattern = False
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def padded(ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None) -> dict[str, NDArray[Any]]:
    """The three inputs of a BERT for a batch of token rows, padded to the longest."""
    shape = (len(ids), max(map(len, ids)))
    inputs = {name: np.zeros(shape, np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    for row, tokens in enumerate(ids):
        inputs["input_ids"][row, : len(tokens)] = tokens
        inputs["attention_mask"][row, : len(tokens)] = 1
        if types is not None:
            inputs["token_type_ids"][row, : len(tokens)] = types[row]
    return inputs


def equal_shares(lengths: Sequence[int], workers: int, budget: int) -> list[list[int]]:
    """Row numbers in batches of similar length and like work, so many that all workers have the same to do.

    Each batch is at most about `budget` tokens.
    """
    total = sum(lengths)
    rounds = max(1, math.ceil(total / (workers * budget)))
    share = total / (rounds * workers)
    batches: list[list[int]] = [[] for _ in range(rounds * workers)]
    before = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        batches[min(int((before + lengths[row] / 2) / share), len(batches) - 1)].append(row)
        before += lengths[row]
    return [batch for batch in batches if batch]


def length_buckets(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Row numbers in batches of similar length, each of at most `budget` padded tokens (or one row)."""
    buckets: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        # Rows come shortest first, so the newest row sets the padded length.
        if buckets and (len(buckets[-1]) + 1) * lengths[row] <= budget:
            buckets[-1].append(row)
        else:
            buckets.append([row])
    return buckets
