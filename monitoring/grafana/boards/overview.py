"""The first page: is anything wrong, and for whom?"""

from monitoring.grafana.alerts import alert
from monitoring.grafana.asking import quantile, watched_figure
from monitoring.grafana.house import BAD, GOOD, dashboard, light, lines, runbook, stacked, stat, timeline
from monitoring.grafana.model import Dashboard, Query, Row

_SLOW, _VOTES = alert("NexusAnswerSlow"), alert("NexusAnswerQualityLow")
_GROUNDED, _ABSTAINED = alert("NexusGroundednessLow"), alert("NexusAbstentionHigh")
_ERRORS = alert("NexusErrorBudgetBurn", window="1h")
_STALE, _DEAD = alert("NexusIngestStale"), alert("NexusDeadLetters")


def board() -> Dashboard:
    """Top down: alerts, what users feel, whether it answers well, learns, is fresh, is up."""
    return dashboard(
        "overview",
        "Nexus · Overview",
        "Is anything wrong, and for whom? From above to below: alerts, what users feel, how good answers are, whether "
        "they get better, whether documents are fresh, what is up. The other pages, linked above, have the causes.",
        [_alerts(), _users(), _quality(), _learning(), _documents(), _parts()],
    )


def _alerts() -> Row:
    lights = [
        light("NexusErrorBudgetBurn", width=4, says="Requests fail with a 5xx."),
        light("NexusAnswerSlow", width=4, says="People wait for answers."),
        light("NexusAnswerQualityLow", width=4, says="People vote answers down; asks for a better release."),
        light("NexusGroundednessLow", width=4, says="Answers say what they do not quote; asks for a better release."),
        light("NexusAbstentionHigh", width=4, says="Questions get no answer; asks for a better release."),
        light("NexusCanaryWorse", width=4, says="The challenger does worse than the champion."),
        light("NexusServiceDown", width=6, says="A part does not answer Prometheus."),
        light("NexusIngestStale", width=6, says="A changed document is not searchable yet."),
        light("NexusDeadLetters", width=6, says="Documents were given up."),
        light("NexusRunFailed", width=6, says="A run of the improvement pipeline failed."),
    ]
    return Row("Is anything wrong?", lights)


def _users() -> Row:
    said = 'sum(increase(nexus_answers_total{outcome="answered"}[1h]))'
    asked = 'sum(increase(nexus_answers_total{outcome=~"answered|abstained"}[1h]))'
    figures = [
        stat(
            "Answers, last hour",
            "All outcomes. A sudden zero with users awake is the gravest figure here: look at the gateway's page.",
            Query("sum(increase(nexus_answers_total[1h]))"),
            decimals=0,
        ),
        stat(
            "Answered",
            "Of questions of the last hour, those that got an answer and not “the documents do not say”. Low: are the "
            "documents there, is the question about them? See Answers.",
            Query(f"{said} / {asked}"),
            unit="percentunit",
            steps=[(None, BAD), (1 - _ABSTAINED.number, GOOD)],
        ),
        stat(
            "95 % of answers within",
            "Of the slowest release, question to last byte, last 10 minutes. The figure to reach is 1 s.",
            Query(f"max({_SLOW.figure})"),
            unit="s",
            watched=_SLOW,
        ),
        stat(
            "Down votes",
            "Of the recent votes on the release that is voted down most. Few votes say little: see how many on Model "
            "loop.",
            Query(f"max({_VOTES.figure})"),
            unit="percentunit",
            watched=_VOTES,
        ),
        stat(
            "Groundedness",
            "How much of an answer's words stand in what it quotes, for the release where that is least. Below the "
            "limit, answers are invented or quotes are wrong.",
            Query(f"min({_GROUNDED.figure})"),
            unit="percentunit",
            watched=_GROUNDED,
        ),
        stat(
            "Failed requests, last hour",
            "5xx of the gateway. The promise is 1 % in a month; red is a pace that uses it up in two days.",
            Query(f"{_ERRORS.figure} or vector(0)"),
            unit="percentunit",
            watched=_ERRORS,
            decimals=2,
        ),
    ]
    pictures = [
        stacked(
            "Answers by outcome",
            "Per minute. Yellow are abstentions, red are errors. Errors that come with a promotion (marked) are the "
            "release's; all at once, a dependency's.",
            Query("60 * sum by (outcome) (rate(nexus_answers_total[$__rate_interval]))", "{{outcome}}"),
            unit="short",
            width=12,
        ),
        lines(
            "How long an answer takes",
            "Question to the first words, and to the last byte. If only the last rises, answers got longer or reading "
            "slower; if both, look at finding and at Triton's queue.",
            watched_figure(_SLOW, "95 % of answers, {{release}}"),
            Query(quantile(0.5, "nexus_answer_duration_seconds"), "half of answers"),
            Query(quantile(0.95, "nexus_time_to_first_token_seconds"), "95 % of first words"),
            unit="s",
            watched=_SLOW,
            width=12,
        ),
    ]
    return Row("What users feel", [*figures, *pictures])


def _quality() -> Row:
    return Row(
        "Does it answer well?",
        [
            lines(
                "Down votes by release",
                "Share of recent votes. A rise at once is a release or documents gone wrong; a slow one, questions "
                "that changed.",
                watched_figure(_VOTES, "{{release}}"),
                unit="percentunit",
                watched=_VOTES,
                highest=1,
            ),
            lines(
                "Groundedness by release",
                "Share of an answer's words that are in its quotes, mean of the last half hour. More is better.",
                watched_figure(_GROUNDED, "{{release}}"),
                unit="percentunit",
                watched=_GROUNDED,
                highest=1,
            ),
            lines(
                "Abstentions by release",
                "Share of questions answered with “the documents do not say”. None at all is suspicious too.",
                watched_figure(_ABSTAINED, "{{release}}"),
                unit="percentunit",
                watched=_ABSTAINED,
                highest=1,
            ),
        ],
    )


def _learning() -> Row:
    return Row(
        "Does it get better?",
        [
            stat(
                "Champion",
                "The release that answers. Two for longer than a moment: trainer's replicas disagree about the "
                "database.",
                Query("nexus:release:champion", "{{release}}", now=True),
                text="name",
                sparkline=False,
                width=6,
                height=8,
            ),
            stacked(
                "Who answers conversations",
                "The share that each release is given. A canary shows as a second band; it ends in promotion or "
                "return.",
                Query("max by (release) (nexus_release_serving)", "{{release}}"),
                unit="percentunit",
                width=9,
            ),
            stacked(
                "Runs that ended",
                "In the hour before each moment, by how. Rejected is the gate at work, failed is a fault: see Model "
                "loop.",
                Query("increase(max by (outcome) (nexus_runs_total)[1h:1m])", "{{outcome}}"),
                width=9,
            ),
        ],
    )


def _documents() -> Row:
    return Row(
        "Are the documents fresh?",
        [
            stat(
                "Searchable documents",
                "Indexed, in all knowledge bases. A fall that nobody asked for: stop deleting, look at Ingestion.",
                Query('max(nexus_documents{status="indexed"})'),
                width=4,
                height=7,
            ),
            stat(
                "Given up",
                "Documents that failed three times. Each has its reason in GET /v1/dead-letters, and can be tried "
                "again.",
                watched_figure(_DEAD, ""),
                watched=_DEAD,
                width=4,
                height=7,
            ),
            lines(
                "Oldest change that is not searchable",
                "Seconds in normal times. A large import raises it while it lasts; a straight line upwards is a "
                "worker that stands.",
                watched_figure(_STALE, "lag"),
                unit="s",
                watched=_STALE,
                width=16,
                height=7,
            ),
        ],
    )


def _parts() -> Row:
    return Row(
        "What is up?",
        [
            timeline(
                "Parts of the platform",
                "Red: Prometheus could not read the part. Several at once have one cause: begin with Redis, Milvus, "
                "Triton.",
                Query("min by (job) (up)", "{{job}}"),
                words={"0": ("down", BAD), "1": ("up", GOOD)},
                height=9,
                link=runbook("NexusServiceDown"),
            )
        ],
    )
