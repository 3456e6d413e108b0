"""The head of the Improvement page: what answers, what is tried, the switch, the button, and what goes wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from ui.errors import Busy, InTheWay, ScopeMissing, Unreachable
from ui.improvement import Automation, Change

HOSTILE = '![x](http://evil.invalid/x.png) <img src=x onerror="alert(1)"> :red[$x$]'


class TestWhatAnswers:
    def test_names_the_champion_with_its_votes_and_since_when_it_answers(
        self, open_improvement, platform, make_release, shown
    ):
        promoted = Change(
            at=datetime.now(UTC) - timedelta(hours=3),
            before="challenger",
            after="champion",
            who="pipeline",
            why="Better.",
        )
        platform.known_releases = [
            make_release("rel_9d41c07be2aa", "champion", alias="champion", history=(promoted,)),
            make_release("rel_5f0c2a9be417", "start"),
        ]
        page = shown(open_improvement())
        assert "**rel\\_9d41c07**" in page
        assert "promoted 3 hours ago · 12 up, 3 down" in page
        assert "Nothing at the moment." in page

    def test_names_the_challenger_with_its_share_of_the_conversations(
        self, open_improvement, platform, make_release, shown
    ):
        platform.known_releases.insert(0, make_release("rel_9d41c07be2aa", "challenger", alias="challenger", share=0.1))
        page = shown(open_improvement())
        assert "**rel\\_9d41c07**" in page
        assert "10% of the conversations · 12 up, 3 down" in page

    def test_says_at_which_stage_a_run_is_whatever_part_is_open(
        self, open_improvement, platform, make_run_under_way, shown
    ):
        platform.known_runs = [make_run_under_way("retrain-model", ("prepare-data", 12.4))]
        assert "Stage 2 of 11: Train the model on it" in shown(open_improvement("Releases"))

    def test_teaches_what_the_page_is_for_before_there_is_anything(self, open_improvement, platform, shown):
        platform.known_releases = []
        page = shown(open_improvement())
        assert "Nothing has answered yet." in page
        assert "Votes with corrections are what a run learns from" in page


class TestAutomaticRuns:
    def test_says_who_paused_them_when_and_why(self, open_improvement, platform, shown):
        yesterday = datetime.now(UTC) - timedelta(days=1)
        platform.switch = Automation(paused=True, by="key_ops", reason="The index is rebuilt.", changed_at=yesterday)
        page = shown(open_improvement())
        assert ":material/pause_circle: Paused" in page
        assert "by key\\_ops, 1 day ago: The index is rebuilt." in page

    def test_pausing_asks_first_and_sends_the_reason(self, open_improvement, platform, shown):
        app = open_improvement()
        app.button("switch-automation").click().run()
        assert "No alert starts a run until somebody lets them go on." in shown(app)
        assert platform.told == []
        app.text_input("reason-automation").set_value("The index is rebuilt.")
        app.button("confirm-automation").click().run()
        assert platform.told == [("set_automation", True, "The index is rebuilt.")]
        page = shown(app)
        assert "Automatic runs are paused." in page
        assert "by key\\_ops, just now: The index is rebuilt." in page

    def test_letting_them_go_on_needs_no_reason(self, open_improvement, platform, shown):
        platform.switch = Automation(paused=True, by="key_ops")
        app = open_improvement()
        app.button("switch-automation").click().run()
        app.button("confirm-automation").click().run()
        assert platform.told == [("set_automation", False, None)]
        assert "Automatic runs go on." in shown(app)

    def test_leaving_it_changes_nothing(self, open_improvement, platform):
        app = open_improvement()
        app.button("switch-automation").click().run()
        app.button("leave-automation").click().run()
        assert platform.told == []


class TestStartingARun:
    def test_asks_first_and_sends_the_reason(self, open_improvement, platform, shown):
        app = open_improvement()
        app.button("start-run").click().run()
        assert platform.told == []
        app.text_input("reason-run").set_value("New documents came in.")
        app.button("confirm-run").click().run()
        assert platform.told == [("start_run", "New documents came in.")]
        page = shown(app)
        assert "is started; it is listed under Runs." in page
        assert "Waits its turn" in page

    def test_says_kindly_that_one_is_under_way(self, open_improvement, platform, shown):
        platform.broken["start_run"] = InTheWay("run_8a61d0c2 is under way; one run at a time.")
        app = open_improvement()
        app.button("start-run").click().run()
        app.button("confirm-run").click().run()
        page = shown(app)
        assert "**Not as things stand**" in page
        assert "run_8a61d0c2 is under way; one run at a time." in page


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "title", "advice"),
        [
            (Unreachable("Nobody answers."), "The platform is not reachable", "`make up` starts it"),
            (
                ScopeMissing("This needs a key with the scope admin."),
                "This key may not do that",
                "Ask an administrator",
            ),
        ],
    )
    def test_what_stops_the_whole_page_is_said_once_with_the_next_step(
        self, open_improvement, platform, shown, error, title, advice
    ):
        platform.break_all(error)
        page = shown(open_improvement())
        assert page.count(title) == 1
        assert advice in page
        assert "Start a run" not in page

    def test_a_service_that_is_away_takes_only_its_own_parts_along(self, open_improvement, platform, shown):
        platform.broken["automation"] = Busy("alert-bridge is not available.", retry_after=5)
        page = shown(open_improvement())
        assert "alert-bridge is not available. Try again in 5 seconds." in page
        assert "rel\\_5f0c2a9" in page

    def test_foreign_words_are_shown_as_text(self, open_improvement, platform, shown):
        platform.switch = Automation(paused=True, by=HOSTILE, reason=HOSTILE)
        page = shown(open_improvement())
        for live in ("![x](", " <img", ":red[$"):
            assert live not in page
