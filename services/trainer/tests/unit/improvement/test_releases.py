"""What may become of a release."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opskit.contracts.releases import ReleaseBundle, ServingTable
from trainer.improvement.releases import (
    FINAL,
    Moves,
    NotAllowed,
    Release,
    State,
    alias_of,
    challenged,
    champion_of,
    promoted,
    rolled_back,
    serving_table,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY = {"who": "key_1", "why": "a test", "now": NOON}


def release(name: str, state: State, *, share: float = 0.0) -> Release:
    bundle = ReleaseBundle(
        release=f"rel_{name}", reader_model=f"reader_{name}", reader_digest=name, engine="extractive", settings={}
    )
    return Release(f"rel_{name}", state, bundle, share=share)


def after(releases: list[Release], moves: Moves) -> dict[str, State]:
    by_id = {one.id: one for one in (*releases, *moves.releases)}
    return {name: one.state for name, one in by_id.items()}


START = release("start", State.START)


class TestTheWayUp:
    def test_a_candidate_is_tried_with_a_share(self):
        (tried,) = challenged([START, release("a", State.CANDIDATE)], "rel_a", 0.1, **BY).releases
        assert (tried.state, tried.share) == (State.CHALLENGER, 0.1)

    def test_one_is_tried_at_a_time(self):
        both = [release("a", State.CHALLENGER), release("b", State.CANDIDATE)]
        with pytest.raises(NotAllowed, match="rel_a is being tried"):
            challenged(both, "rel_b", 0.1, **BY)

    def test_the_champion_retires_when_another_is_promoted(self):
        releases = [START, release("old", State.CHAMPION), release("new", State.CHALLENGER)]
        assert after(releases, promoted(releases, "rel_new", **BY)) == {
            "rel_start": State.START,
            "rel_old": State.RETIRED,
            "rel_new": State.CHAMPION,
        }

    def test_promoting_another_rolls_the_challenger_back(self):
        releases = [START, release("tried", State.CHALLENGER), release("old", State.RETIRED)]
        assert after(releases, promoted(releases, "rel_old", **BY))["rel_tried"] is State.ROLLED_BACK

    @pytest.mark.parametrize("state", [State.REJECTED, State.ROLLED_BACK])
    def test_what_is_final_stays(self, state):
        with pytest.raises(NotAllowed, match="That is final"):
            promoted([START, release("a", state)], "rel_a", **BY)

    def test_what_was_only_seen_cannot_serve(self):
        with pytest.raises(NotAllowed, match="nothing to serve it with"):
            promoted([START, Release("rel_x", State.SEEN)], "rel_x", **BY)

    def test_the_champion_cannot_be_promoted_again(self):
        with pytest.raises(NotAllowed, match="already"):
            promoted([START], "rel_start", **BY)

    def test_every_step_is_in_the_audit(self):
        releases = [START, release("old", State.CHAMPION), release("new", State.CHALLENGER)]
        changes = promoted(releases, "rel_new", **BY).changes
        assert {(one.release, one.before, one.after, one.who) for one in changes} == {
            ("rel_new", State.CHALLENGER, State.CHAMPION, "key_1"),
            ("rel_old", State.CHAMPION, State.RETIRED, "key_1"),
        }


class TestTheWayBack:
    def test_a_challenger_is_withdrawn_first(self):
        releases = [START, release("old", State.CHAMPION), release("new", State.CHALLENGER)]
        moves = rolled_back(releases, before=[], **BY)
        assert after(releases, moves)["rel_new"] is State.ROLLED_BACK
        assert after(releases, moves)["rel_old"] is State.CHAMPION

    def test_a_champion_gives_way_to_the_one_before_it(self):
        releases = [START, release("a", State.RETIRED), release("b", State.RETIRED), release("c", State.CHAMPION)]
        moves = rolled_back(releases, before=["rel_a", "rel_b"], **BY)
        assert after(releases, moves)["rel_b"] is State.CHAMPION
        assert after(releases, moves)["rel_c"] is State.RETIRED

    def test_without_one_the_start_release_answers_again(self):
        releases = [START, release("a", State.CHAMPION)]
        moves = rolled_back(releases, before=[], **BY)
        assert champion_of([START, *moves.releases]) is None

    def test_from_the_start_release_there_is_no_way_back(self):
        with pytest.raises(NotAllowed, match="nothing to go back to"):
            rolled_back([START], before=[], **BY)


class TestWhoServes:
    def test_nobody_named_means_the_start_release(self):
        assert serving_table([START, release("a", State.RETIRED)]) == ServingTable()
        assert alias_of(START, [START]) == "champion"

    def test_champion_and_challenger_with_its_share(self):
        releases = [START, release("old", State.CHAMPION), release("new", State.CHALLENGER, share=0.2)]
        table = serving_table(releases)
        assert table.champion is not None
        assert table.challenger is not None
        assert (table.champion.release, table.challenger.release, table.share) == ("rel_old", "rel_new", 0.2)
        assert [alias_of(one, releases) for one in releases] == [None, "champion", "challenger"]


actions = st.lists(st.tuples(st.sampled_from(["try", "promote", "back"]), st.sampled_from("abc")), max_size=30)


@given(actions)
def test_whatever_operators_do_one_answers_and_one_is_tried_at_most(steps):
    releases = {one.id: one for one in [START, *(release(name, State.CANDIDATE) for name in "abc")]}
    champions: list[str] = []
    final: dict[str, State] = {}
    for action, name in steps:
        everyone = list(releases.values())
        try:
            if action == "try":
                moves = challenged(everyone, f"rel_{name}", 0.1, **BY)
            elif action == "promote":
                moves = promoted(everyone, f"rel_{name}", **BY)
            else:
                moves = rolled_back(everyone, before=champions, **BY)
        except NotAllowed:
            continue
        releases |= {one.id: one for one in moves.releases}
        champions += [change.release for change in moves.changes if change.after is State.CHAMPION]
        states = [one.state for one in releases.values()]
        assert states.count(State.CHAMPION) <= 1
        assert states.count(State.CHALLENGER) <= 1
        assert sum(alias_of(one, list(releases.values())) == "champion" for one in releases.values()) == 1
        for one, state in final.items():
            assert releases[one].state is state
        final |= {one.id: one.state for one in releases.values() if one.state in FINAL}
