"""When a part that died is started again."""

from embedded.restarts import Deaths


def test_an_accident_is_mended_at_once_and_a_habit_ever_later():
    deaths, waits = Deaths(), []
    for _ in range(12):
        deaths = deaths.after(ready_for=1.0)
        waits.append(deaths.wait_seconds)
    assert waits[0] <= 0.5
    assert waits == sorted(waits)
    assert waits[-1] == 30.0


def test_who_ran_for_a_while_begins_anew():
    tired = Deaths(in_a_row=9)
    assert tired.after(ready_for=61.0).wait_seconds == Deaths().after(ready_for=None).wait_seconds
    assert tired.after(ready_for=None).in_a_row == 10
