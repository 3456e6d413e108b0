"""Releases that differ in settings alone."""

import pytest
from opskit.contracts.releases import ReleaseBundle, release_id
from trainer.improvement.proposing import differences, merged, proposed, refusal
from trainer.improvement.releases import Release, State

SETTINGS = {
    "version": 1,
    "prompt": {"instructions": "Answer.", "wording": {"thanks": "Welcome.", "empty": "Nothing."}},
    "retrieval": {"passages": 8, "fusion": "convex"},
}
CHAMPION = ReleaseBundle(
    release=release_id("digest", SETTINGS, "print"),
    reader_model="reader_a",
    reader_digest="digest",
    embedder_fingerprint="print",
    engine="extractive",
    settings=SETTINGS,
)
FEWER = proposed(CHAMPION, merged(SETTINGS, {"retrieval": {"passages": 3}}))


class TestMerging:
    def test_only_what_is_named_changes_however_deep(self):
        made = merged(SETTINGS, {"prompt": {"wording": {"thanks": "Any time."}}, "retrieval": {"passages": 3}})
        assert made["prompt"] == {"instructions": "Answer.", "wording": {"thanks": "Any time.", "empty": "Nothing."}}
        assert made["retrieval"] == {"passages": 3, "fusion": "convex"}
        assert made["version"] == 1

    def test_the_champions_own_settings_stay_as_they_are(self):
        merged(SETTINGS, {"prompt": {"wording": {"thanks": "Any time."}}})
        assert SETTINGS["prompt"]["wording"]["thanks"] == "Welcome."

    def test_what_is_unknown_or_of_another_kind_is_left_to_who_knows(self):
        made = merged(SETTINGS, {"retrieval": {"pasages": 3, "fusion": {"a": 1}}, "prompt": {"wording": None}})
        assert made["retrieval"] == {"passages": 8, "fusion": {"a": 1}, "pasages": 3}
        assert made["prompt"]["wording"] is None

    def test_differences_are_named_in_full(self):
        made = merged(SETTINGS, {"prompt": {"wording": {"thanks": "x" * 200}}, "retrieval": {"passages": 3}})
        first, second = differences(SETTINGS, made)
        assert first.startswith("prompt.wording.thanks: Welcome. → xxx")
        assert len(first) < 120
        assert second == "retrieval.passages: 8 → 3"


class TestProposing:
    def test_it_has_the_champions_models_and_an_id_of_its_own(self):
        assert (FEWER.reader_model, FEWER.reader_digest) == ("reader_a", "digest")
        assert FEWER.release == release_id("digest", FEWER.settings, "print") != CHAMPION.release

    def test_the_same_settings_are_no_proposal(self):
        assert "nothing would change" in refusal(proposed(CHAMPION, dict(SETTINGS)), CHAMPION, [])

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            (State.START, "promote it instead"),
            (State.RETIRED, "promote it instead"),
            (State.ROLLED_BACK, "is rolled back"),
            (State.REJECTED, "is rejected"),
            (State.SEEN, ""),
            (State.CANDIDATE, ""),
        ],
    )
    def test_what_had_its_turn_is_refused(self, state, why):
        said = refusal(FEWER, CHAMPION, [Release(FEWER.release, state, FEWER)])
        assert why in said
        assert bool(said) == bool(why)
