"""The model loop: votes, alert, run, gate, release."""

from monitoring.grafana.alerts import alert
from monitoring.grafana.asking import quantile, watched_figure
from monitoring.grafana.house import CALM, PLAIN, WARN, bars, dashboard, firing, lines, stacked, stat, timeline
from monitoring.grafana.model import Dashboard, Query, Row

_VOTES, _FAILED, _CANARY = (
    alert("NexusAnswerQualityLow"),
    alert("NexusRunFailed"),
    alert("NexusCanaryWorse", figure="errors"),
)


def board() -> Dashboard:
    """In the order in which the loop goes round."""
    return dashboard(
        "model-loop",
        "Nexus · Model loop",
        "From votes to a better release, in the order in which it happens: what users say, the alert, the run, the "
        "gate, the release that serves.",
        [_votes(), _incidents(), _runs(), _releases(), _worker()],
        since="now-24h",
    )


def _votes() -> Row:
    return Row(
        "1. What users say",
        [
            lines(
                "Down votes by release",
                "Share of recent votes. This is the figure that starts most runs.",
                watched_figure(_VOTES, "{{release}}"),
                unit="percentunit",
                watched=_VOTES,
                highest=1,
            ),
            lines(
                "Recent votes that count",
                f"The alert wants {_VOTES.sample} of a release (the red line); of one voter only so many count. Below "
                "it, nothing is started whatever they say.",
                Query("sum by (release) (nexus:feedback_recent:max)", "{{release}}"),
                Query(f"vector({_VOTES.sample})", "sample wanted"),
                unit="short",
                dashed="sample wanted",
            ),
            stacked(
                "Votes given",
                "In the hour before each moment. None at all for days: is the thumb still in the chatbot, does "
                "anybody use it?",
                Query("sum by (rating) (increase(nexus_feedback_total[1h]))", "{{rating}}"),
            ),
        ],
    )


def _incidents() -> Row:
    return Row(
        "2. The alert, and what alert-bridge made of it",
        [
            firing(
                "Alerts that ask for a better release",
                "Orange is pending, red is firing. One bar should end soon after a promotion (marked in green).",
                retrain=True,
            ),
            stacked(
                "Decisions",
                "In the hour before each moment. Started: a run was ordered. Joined: one was on its way. Cooldown: "
                "too soon after the last. Ignored: not its business. Many in cooldown: runs do not mend what the "
                "alert is about.",
                Query("sum by (decision) (increase(nexus_incidents_total[1h]))", "{{decision}}"),
                width=12,
            ),
            stat(
                "Runs ordered, not handed over",
                "Above zero for longer than a moment: trainer, its queue or Argo does not take orders.",
                Query("max(nexus_runs_waiting)"),
                steps=[(None, CALM), (1, WARN)],
                width=6,
                height=8,
            ),
            lines(
                "Orders and errors of alert-bridge",
                "Per hour. Orders failed are tried again; unforeseen errors are bugs, the log has a trace.",
                Query("sum(increase(nexus_run_orders_failed_total[1h]))", "orders failed"),
                Query("sum by (at) (increase(nexus_bridge_unexpected_errors_total[1h]))", "unforeseen at {{at}}"),
                unit="short",
                width=6,
            ),
        ],
    )


def _runs() -> Row:
    stages = "max by (stage) (nexus_run_stage_seconds_{})"
    return Row(
        "3. The run and its gate",
        [
            bars(
                "Runs so far, by outcome",
                "Promoted: it serves. Rejected: the gate refused. Rolled back: it did worse under real traffic. No "
                "data: too little to learn from. Failed: a step broke.",
                Query("max by (outcome) (nexus_runs_total)", "{{outcome}}", now=True),
                unit="short",
            ),
            bars(
                "What the gate decided",
                "Only rejections: look at a run's reports, the votes may contradict each other or the documents.",
                Query("max by (decision) (nexus_gate_decisions_total)", "{{decision}}", now=True),
                unit="short",
            ),
            lines(
                "Runs failed in the last hour",
                "A fault of ours or of a dependency; what serves stays as it is.",
                watched_figure(_FAILED, "failed"),
                unit="short",
                watched=_FAILED,
            ),
            bars(
                "Mean time of a stage",
                "Over all runs so far. Training and evaluation are most of it.",
                Query(f"{stages.format('sum')} / {stages.format('count')}", "{{stage}}", now=True),
                unit="s",
                width=12,
                height=10,
            ),
            lines(
                "Time of the stages that ended in the last day",
                "Mean by stage. A stage that doubles has more data, or less of the machine.",
                Query(
                    "sum by (stage) (increase(max by (stage) (nexus_run_stage_seconds_sum)[1d:5m])) / sum by (stage) "
                    "(increase(max by (stage) (nexus_run_stage_seconds_count)[1d:5m]))",
                    "{{stage}}",
                ),
                unit="s",
                width=12,
                height=10,
            ),
        ],
    )


def _releases() -> Row:
    parts = (
        'max by (release) (nexus_release_info{alias="champion"} == 1)'
        ' or 2 * max by (release) (nexus_release_info{alias="challenger"} == 1)'
        " or 0 * max by (release) (nexus_release_info)"
    )
    return Row(
        "4. What serves",
        [
            timeline(
                "Releases and their part",
                "Blue is champion, orange challenger, grey neither. A challenger ends as champion or grey; within "
                "minutes, not days.",
                Query(parts, "{{release}}"),
                words={"0": ("neither", PLAIN), "1": ("champion", CALM), "2": ("challenger", WARN)},
                width=12,
            ),
            stacked(
                "Share of the conversations",
                "What each release is given.",
                Query("max by (release) (nexus_release_serving)", "{{release}}"),
                unit="percentunit",
                width=12,
            ),
            firing(
                "The canary, and failed runs",
                "When the alerts about them were pending and firing. The figures of both releases are on Answers.",
                _CANARY.name,
                _FAILED.name,
                height=4,
            ),
        ],
    )


def _worker() -> Row:
    return Row(
        "What works on it",
        [
            stacked(
                "Tasks of trainer's worker",
                "Per minute, by how they ended. Retries now and then are waiting; failures have a trace in the log.",
                Query("60 * sum by (outcome) (rate(nexus_trainer_tasks_total[$__rate_interval]))", "{{outcome}}"),
            ),
            lines(
                "Failures by task",
                "Per hour. trainer.advance is a run's next stage, trainer.observe is tracing and judging.",
                Query('sum by (task) (increase(nexus_trainer_tasks_total{outcome="failure"}[1h]))', "{{task}}"),
                unit="short",
            ),
            lines(
                "Duties put off",
                "Per hour: times that somebody was away who had to be told. It goes on when they are back.",
                Query("sum by (duty) (increase(nexus_trainer_duties_left_total[1h]))", "{{duty}}"),
                Query("sum by (part) (increase(nexus_observe_failures_total[1h]))", "observing {{part}}"),
                unit="short",
            ),
            lines(
                "Behind in observing answers",
                "Since there was last nothing left to observe. Growing: more answers than can be traced, trace a "
                "smaller share.",
                Query("max(nexus_observe_lag_seconds)", "behind"),
                unit="s",
            ),
            stacked(
                "Answers and votes observed",
                "Per minute. Passed over is the sample at work; lost are those that MLflow did not take.",
                Query("60 * sum by (outcome) (rate(nexus_observed_answers_total[$__rate_interval]))", "{{outcome}}"),
                Query(
                    "60 * sum by (outcome) (rate(nexus_observed_votes_total[$__rate_interval]))", "votes {{outcome}}"
                ),
            ),
            lines(
                "How long the judge takes, votes forgotten",
                "Seconds for 95 % of judgements; votes forgotten because of their age, per hour.",
                Query(quantile(0.95, "nexus_judgement_seconds"), "judge, s"),
                Query("sum(increase(nexus_feedback_expired_total[1h]))", "votes forgotten"),
                unit="short",
            ),
        ],
    )
