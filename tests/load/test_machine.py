"""Who used the machine while it was measured."""

import pytest

from tests.load.machine import description, others_share


def test_what_we_used_ourselves_is_no_disturbance():
    assert others_share(10.0, 10.0, elapsed=10.0, cores=2) == 0.0


def test_others_count_as_their_share_of_all_processors():
    assert others_share(15.0, 5.0, elapsed=10.0, cores=2) == pytest.approx(0.5)


def test_clocks_that_disagree_a_little_give_no_impossible_share():
    assert others_share(4.9, 5.0, elapsed=10.0, cores=2) == 0.0
    assert others_share(90.0, 0.0, elapsed=10.0, cores=2) == 1.0
    assert others_share(1.0, 0.0, elapsed=0.0, cores=2) == 0.0


def test_the_machine_is_described():
    assert description()["cores"] >= 1
    assert description()["processor"]
