"""The runs on the Improvement page."""

from ui.errors import Busy
from ui.improvement import StageRecord, Verdict

HOSTILE = '![x](http://evil.invalid/x.png) <img src=x onerror="alert(1)"> :red[$x$]'


def open_run(app, name="run_8a61d0c2f7b94e13"):
    app.session_state[f"run-{name}"] = True
    app.run()
    assert not app.exception
    return app


class TestUnderWay:
    def test_is_told_stage_by_stage(self, open_improvement, platform, make_run_under_way, shown):
        done = ("prepare-data", 12.4), ("retrain-model", 754)
        platform.known_runs = [make_run_under_way("benchmark-model-gold", *done, reason="New documents.")]
        page = shown(open_improvement())
        assert "Stage 3 of 11: Ask both models general questions" in page
        assert '<span class="unseen">done: </span>Gather what people voted and corrected</span>' in page
        assert '<span class="time">12 s</span><span class="says">That went well.</span>' in page
        assert '<span class="time">12 min 34 s</span>' in page
        assert '<li class="step running" aria-current="step">' in page
        assert '<span class="time">42 s so far</span>' in page
        assert page.count('<span class="time">waiting</span>') == 8

    def test_shows_the_last_lines_of_the_log_of_its_stage(self, open_improvement, platform, make_run_under_way):
        run = make_run_under_way("retrain-model")
        platform.known_runs = [run]
        platform.logs[run.id, "retrain-model"] = "\n".join(f"step {number}" for number in range(100))
        assert open_improvement().code[0].value.split("\n") == [f"step {number}" for number in range(88, 100)]

    def test_goes_on_without_a_log_that_cannot_be_read(self, open_improvement, platform, make_run_under_way, shown):
        platform.known_runs = [make_run_under_way("retrain-model")]
        platform.broken["run_log"] = Busy("trainer is busy.")
        page = shown(open_improvement())
        assert "Its log cannot be read now. trainer is busy." in page
        assert "Train the model on it" in page

    def test_a_stage_that_is_tried_again_says_so(self, open_improvement, platform, make_run_under_way, shown):
        run = make_run_under_way("retrain-model")
        again = run.stages[-1].model_copy(update={"attempts": 2})
        platform.known_runs = [run.model_copy(update={"stages": (again,)})]
        assert "42 s so far, attempt 2" in shown(open_improvement())


class TestEnded:
    def test_each_outcome_has_its_badge_and_its_sentence(self, open_improvement, platform, make_run, shown):
        outcomes = {
            "promoted": "Promoted",
            "rejected": "Rejected",
            "rolled_back": "Rolled back",
            "failed": "Failed",
            "no_data": "Too little to learn from",
            "cancelled": "Cancelled",
        }
        platform.known_runs = [
            make_run(f"run_{name.replace('_', '')}0000", outcome=name, says=f"So it ended {name.replace('_', ' ')}.")
            for name in outcomes
        ]
        page = shown(open_improvement())
        for name, word in outcomes.items():
            assert f": {word}]" in page
            assert f"So it ended {name.replace('_', ' ')}." in page

    def test_tells_its_stages_and_which_were_left_out(self, open_improvement, platform, make_run, shown):
        record = StageRecord(
            stage="prepare-data",
            status="failed",
            started_at="2026-11-21T10:00:00Z",
            seconds=5,
            attempts=3,
            says="No disk.",
        )
        platform.known_runs = [make_run(outcome="failed", stages=(record,))]
        page = shown(open_run(open_improvement()))
        assert '<li class="step failed">' in page
        assert "5.00 s, attempt 3" in page
        assert "No disk." in page
        assert page.count('<span class="time">left out</span>') == 10

    def test_shows_the_numbers_of_the_verdict(self, open_improvement, platform, make_run, make_check, shown):
        lost = make_check(name="gold", passed=False, champion=0.642, candidate=0.551, difference=-0.091, low=-0.12,
                          high=-0.06, says="gold: 64.2% before; may lose 2.0% at most")  # fmt: skip
        slow = make_check(name="seconds of an answer, 95th percentile", champion=0.4, candidate=0.5, difference=0.1,
                          low=None, high=None, says="seconds: 0.4; may take 1.3 times as long at most")  # fmt: skip
        missing = make_check(name="worst subject", champion=None, candidate=None, difference=None, low=None, high=None,
                             passed=False, says="worst subject: was not measured")  # fmt: skip
        verdict = Verdict(decision="reject", checks=(make_check(), lost, slow, missing))
        platform.known_runs = [make_run(outcome="rejected", verdict=verdict)]
        app = open_run(open_improvement())
        page = shown(app)
        assert "It may not answer people: 2 of 4 figures are not as they have to be." in page
        assert '<td data-label="Before">38.1%</td><td data-label="Now">57.1%</td>' in page
        assert "+19.0 (+4.8 to +33.3)</td>" in page
        assert '<td data-label="Allowed?" class="passed">✓ yes: must win by 2.0% beyond chance</td>' in page
        assert "\u22129.1 (\u221212.0 to \u22126.0)" in page
        assert '<td data-label="Allowed?" class="failed">✗ no: may lose 2.0% at most</td>' in page
        assert '0.40\u00a0s</td><td data-label="Now">0.50\u00a0s</td>' in page
        assert "1.25 times as long" in page
        assert "✗ no: was not measured" in page
        assert len(app.get("vega_lite_chart")) == 1

    def test_a_candidate_that_could_not_be_judged_says_why(self, open_improvement, platform, make_run, shown):
        verdict = Verdict(decision="reject", reasons=("The candidate is the champion itself.",))
        platform.known_runs = [make_run(outcome="rejected", verdict=verdict)]
        page = shown(open_run(open_improvement()))
        assert "It may not answer people. The candidate is the champion itself." in page

    def test_the_whole_log_can_be_read_stage_by_stage(self, open_improvement, platform, make_run):
        record = StageRecord(stage="gate", status="done", started_at="2026-11-21T10:00:00Z", seconds=1)
        run = make_run(stages=(record,))
        platform.known_runs = [run]
        platform.logs = {(run.id, None): "all of it", (run.id, "gate"): "the gate alone"}
        app = open_run(open_improvement())
        app.toggle(f"log-{run.id}").set_value(True).run()
        assert app.code[0].value == "all of it"
        app.selectbox(f"log-stage-{run.id}").set_value("gate").run()
        assert app.code[0].value == "the gate alone"

    def test_leads_to_its_incident(self, open_improvement, platform, make_run, make_incident, shown):
        platform.known_runs = [make_run(incident="inc_4c1f09aa7d21", alertname="NexusAnswerQualityLow")]
        platform.known_incidents = [make_incident(id="inc_0", alertname="Another"), make_incident()]
        app = open_run(open_improvement())
        app.button("incident-of-run_8a61d0c2f7b94e13").click().run()
        page = shown(app)
        assert page.index("**NexusAnswerQualityLow**") < page.index("**Another**")

    def test_older_runs_come_when_asked_for(self, open_improvement, platform, make_run, shown):
        platform.known_runs = [make_run(f"run_{number:07}") for number in range(25)]
        app = open_improvement()
        assert "run\\_0000024" not in shown(app)
        app.button("older-runs").click().run()
        assert "run\\_0000024" in shown(app)

    def test_foreign_words_are_shown_as_text(self, open_improvement, platform, make_run, make_check, shown):
        record = StageRecord(stage=HOSTILE, status="done", started_at="2026-11-21T10:00:00Z", seconds=5, says=HOSTILE)
        verdict = Verdict(decision="reject", checks=(make_check(name=HOSTILE, says=HOSTILE),), reasons=(HOSTILE,))
        run = make_run(reason=HOSTILE, says=HOSTILE, started_by=HOSTILE, stages=(record,), verdict=verdict)
        platform.known_runs = [run]
        platform.logs[run.id, None] = HOSTILE
        app = open_run(open_improvement())
        app.toggle(f"log-{run.id}").set_value(True).run()
        assert app.code[0].value == HOSTILE  # which Streamlit shows as it is
        page = shown(app).replace(HOSTILE, "", 1)
        assert " <img" not in page
        markdown = "\n".join(str(piece.value) for piece in (*app.markdown, *app.caption)) + app.expander[0].label
        for live in ("![x](", ":red[$"):
            assert live not in markdown
