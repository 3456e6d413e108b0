"""The releases and the incidents on the Improvement page."""

from datetime import UTC, datetime

import pytest
from ui.errors import Busy, InTheWay
from ui.improvement import Change

HOSTILE = '![x](http://evil.invalid/x.png) <img src=x onerror="alert(1)"> :red[$x$]'
CHAMPION, START, TRIED = "rel_9d41c07be2aa", "rel_5f0c2a9be417", "rel_31e8804cc5d2"
PROMOTED = Change(
    at=datetime(2026, 11, 21, 14, 5, tzinfo=UTC),
    before="challenger",
    after="champion",
    who="key_ops",
    why="It is better.",
)


@pytest.fixture
def improved(platform, make_release):
    """A platform that has improved once, and could go back."""
    platform.known_releases = [
        make_release(CHAMPION, "champion", alias="champion", history=(PROMOTED,)),
        make_release(START, "start"),
    ]
    platform.before = START
    return platform


def open_release(app, name):
    app.session_state[f"release-{name}"] = True
    app.run()
    assert not app.exception
    return app


class TestReleases:
    def test_lists_them_newest_first_with_what_they_do_and_their_votes(self, open_improvement, improved):
        champion, start = (row.label for row in open_improvement("Releases").expander)
        assert "Answers now" in champion
        assert "12 up, 3 down · 2 days ago" in champion
        assert "First release" in start

    def test_shows_what_one_is_made_of_and_who_did_what_with_it(self, open_improvement, improved, shown):
        parts = {"base_release": START, "data": "aa11", "verdict": {"decision": "promote", "checks": []}}
        settings = {"retrieval": {"top_k": 8}}
        improved.known_releases[0] = improved.known_releases[0].model_copy(
            update={"parts": parts, "settings": settings}
        )
        page = shown(open_release(open_improvement("Releases"), CHAMPION))
        assert "<dt>Trained from release</dt><dd>rel_5f0c2a9be417</dd>" in page
        assert '"top_k": 8' in page
        assert '<th scope="row">21 Nov 2026, 14:05 UTC</th>' in page
        assert '<td data-label="Change">Being tried → Answers now</td>' in page
        assert '<td data-label="By">key_ops</td><td data-label="Why">It is better.</td>' in page
        assert "It may answer people" in page

    def test_rolling_back_asks_first_sends_the_reason_and_shows_what_answers_then(
        self, open_improvement, improved, shown
    ):
        app = open_improvement("Releases")
        app.button("roll-back").click().run()
        assert "the release that answered before it takes over again" in shown(app)
        assert improved.told == []
        app.text_input("reason-rollback").set_value("It quotes the wrong year.")
        app.button("confirm-rollback").click().run()
        assert improved.told == [("roll_back", "It quotes the wrong year.")]
        assert "**rel\\_5f0c2a9** answers now." in shown(app)

    def test_rolling_back_while_one_is_tried_says_that_it_is_withdrawn(
        self, open_improvement, improved, make_release, shown
    ):
        improved.known_releases.insert(0, make_release(TRIED, "challenger", alias="challenger", share=0.1))
        app = open_improvement("Releases")
        app.button("roll-back").click().run()
        page = shown(app)
        assert "is being tried on 10% of the conversations, is withdrawn for good." in page
        assert "rel\\_9d41c07 answers alone again." in page

    def test_there_is_nothing_to_roll_back_from_in_the_beginning(self, open_improvement):
        assert open_improvement("Releases").button("roll-back").disabled

    def test_says_why_a_rollback_was_refused(self, open_improvement, improved, shown):
        improved.broken["roll_back"] = InTheWay("No earlier release is known.")
        app = open_improvement("Releases")
        app.button("roll-back").click().run()
        app.button("confirm-rollback").click().run()
        assert "No earlier release is known." in shown(app)

    def test_promoting_asks_first_and_sends_the_reason(self, open_improvement, improved, shown):
        app = open_release(open_improvement("Releases"), START)
        app.button(f"promote-{START}").click().run()
        assert "answers every conversation from then on" in shown(app)
        app.text_input(f"reason-promote-{START}").set_value("The old one was better.")
        app.button(f"confirm-promote-{START}").click().run()
        assert improved.told == [("promote", START, "The old one was better.")]
        assert "**rel\\_5f0c2a9** answers now." in shown(app)

    @pytest.mark.parametrize(
        ("state", "alias", "offered"),
        [
            ("candidate", None, True),
            ("challenger", "challenger", True),
            ("retired", None, True),
            ("start", None, True),
            ("start", "champion", False),
            ("champion", "champion", False),
            ("rejected", None, False),
            ("rolled_back", None, False),
            ("seen", None, False),
        ],
    )
    def test_only_what_may_answer_can_be_promoted(self, make_release, state, alias, offered):
        assert make_release(TRIED, state, alias=alias).promotable is offered

    def test_leads_to_the_run_that_made_it(self, open_improvement, improved, make_release, make_run, shown):
        improved.known_runs = [make_run(says="It held up.", outcome="promoted")]
        improved.known_releases.insert(0, make_release(TRIED, "retired", run="run_8a61d0c2f7b94e13"))
        app = open_release(open_improvement("Releases"), TRIED)
        app.button(f"run-of-{TRIED}").click().run()
        page = shown(app)
        assert "It held up." in page
        assert "The new release was better, held up under real questions, and answers now." in page

    def test_foreign_words_are_shown_as_text(self, open_improvement, improved, shown):
        change = PROMOTED.model_copy(update={"who": HOSTILE, "why": HOSTILE})
        worse = {"history": (change,), "parts": {HOSTILE: HOSTILE}}
        improved.known_releases[0] = improved.known_releases[0].model_copy(update=worse)
        assert " <img" not in shown(open_release(open_improvement("Releases"), CHAMPION))

    def test_says_that_they_cannot_be_read(self, open_improvement, improved, shown):
        improved.broken["releases"] = Busy("trainer is not available.")
        assert "trainer is not available. Try again in a moment." in shown(open_improvement("Releases"))

    def test_teaches_how_a_release_comes_to_be_listed(self, open_improvement, platform, shown):
        platform.known_releases = []
        assert "the release that answers is listed here" in shown(open_improvement("Releases"))


class TestIncidents:
    def test_shows_the_alert_what_was_decided_and_why(self, open_improvement, platform, make_incident, shown):
        platform.known_incidents = [
            make_incident(
                status="firing",
                ends_at=None,
                decision="cooldown",
                reason="A run ended a while ago.",
                run=None,
                annotations={"summary": "41% of votes are down votes."},
            )
        ]
        page = shown(open_improvement("Incidents"))
        assert "**NexusAnswerQualityLow** :red-badge[:material/notifications_active: Firing]" in page
        assert "began 3 hours ago · severity warning · 9 messages" in page
        assert "41% of votes are down votes." in page
        assert ":gray-badge[:material/hourglass_top: Waits] A run ended a while ago." in page

    def test_leads_to_the_run_even_when_that_is_an_old_one(
        self, open_improvement, platform, make_incident, make_run, shown
    ):
        platform.known_incidents = [make_incident()]
        platform.known_runs = [*(make_run(f"run_{number:07}") for number in range(25)), make_run(says="Held up.")]
        app = open_improvement("Incidents")
        assert "Run run\\_8a61d0c: promoted" in shown(app)
        app.button("run-of-inc_4c1f09aa7d21").click().run()
        assert "Held up." in shown(app)

    def test_foreign_words_are_shown_as_text(self, open_improvement, platform, make_incident, shown):
        hostile = {"alertname": HOSTILE, "reason": HOSTILE, "severity": HOSTILE, "annotations": {"summary": HOSTILE}}
        platform.known_incidents = [make_incident(**hostile)]
        page = shown(open_improvement("Incidents"))
        for live in ("![x](", " <img", ":red[$"):
            assert live not in page

    def test_says_that_they_cannot_be_read(self, open_improvement, platform, shown):
        platform.broken["incidents"] = Busy("alert-bridge is not available.")
        assert "alert-bridge is not available." in shown(open_improvement("Incidents"))

    def test_teaches_what_an_incident_is(self, open_improvement, shown):
        assert "No incident yet. Alerts watch how people vote" in shown(open_improvement("Incidents"))
