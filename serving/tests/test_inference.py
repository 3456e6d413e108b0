"""Batches of rows."""

import pytest
from nexus_serving.engines.inference import equal_shares, length_buckets, padded


def test_rows_are_padded_to_the_longest_and_masked():
    inputs = padded([[1, 2, 3], [4]], [[0, 1, 1], [0]])
    assert inputs["input_ids"].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert inputs["token_type_ids"].tolist() == [[0, 1, 1], [0, 0, 0]]


def test_buckets_hold_like_lengths_within_the_budget():
    lengths = [9, 1, 8, 2, 30]
    buckets = length_buckets(lengths, 20)
    assert sorted(row for bucket in buckets for row in bucket) == [0, 1, 2, 3, 4]
    assert all(len(bucket) == 1 or len(bucket) * max(lengths[row] for row in bucket) <= 20 for bucket in buckets)
    assert [4] in buckets


@pytest.mark.parametrize(
    ("lengths", "workers", "shares"),
    [
        ([200] * 6, 2, 2),
        ([200] * 6, 1, 2),
        ([200], 2, 1),
        ([300] * 20, 2, 6),
        ([], 2, 0),
    ],
)
def test_work_is_shared_equally(lengths: list[int], workers: int, shares: int):
    made = equal_shares(lengths, workers, 1024) if lengths else []
    assert len(made) == shares
    assert sorted(row for share in made for row in share) == list(range(len(lengths)))
    work = [sum(lengths[row] for row in share) for share in made]
    assert not work or max(work) - min(work) <= max(lengths)
