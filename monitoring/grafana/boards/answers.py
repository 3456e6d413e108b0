"""Answers and quality, release by release."""

from monitoring.grafana.alerts import Alert, alert
from monitoring.grafana.asking import mean, of_chosen, quantile, watched_figure
from monitoring.grafana.house import RELEASES, dashboard, firing, heat, lines, stacked, table
from monitoring.grafana.model import Dashboard, Panel, Query, Row

_SLOW, _VOTES = alert("NexusAnswerSlow"), alert("NexusAnswerQualityLow")
_GROUNDED, _ABSTAINED = alert("NexusGroundednessLow"), alert("NexusAbstentionHigh")
_CHOSEN = '{release=~"$release"}'


def board() -> Dashboard:
    """Compare first, then quality, speed, failures, the canary, the second opinion, the reader."""
    return dashboard(
        "answers",
        "Nexus · Answers and quality by release",
        "How well each release answers, and why. A release has one colour on all pictures; promotions are marked in "
        "green, canaries in orange.",
        [_side_by_side(), _quality(), _speed(), _failures(), _canary(), _second_opinion(), _reader()],
        RELEASES,
    )


def _outcome(outcome: str, of: str = "answered|abstained|blocked|error", over: str = "$__range") -> str:
    some = f'sum by (release) (increase(nexus_answers_total{{release=~"$release",outcome="{outcome}"}}[{over}]))'
    return f'{some} / sum by (release) (increase(nexus_answers_total{{release=~"$release",outcome=~"{of}"}}[{over}]))'


def _side_by_side() -> Row:
    votes = "sum by (release) (increase(nexus_feedback_total{}[$__range]))"
    down = votes.replace("{}", '{release=~"$release",rating="down"}')
    all_votes = votes.replace("{}", _CHOSEN)
    return Row(
        "Releases side by side, over the time chosen",
        [
            table(
                "Releases",
                "Red is worse than the alert's limit; it needs a sample to mean anything, so read Answers and Votes "
                "before the others. Judged is the second opinion, of a sample of answers.",
                of_chosen("max by (release, alias) (nexus_release_info) == 1"),
                [
                    ("Answers", f"sum by (release) (increase(nexus_answers_total{_CHOSEN}[$__range]))", "short", None),
                    ("Votes", all_votes, "short", None),
                    ("Down votes", f"{down} / {all_votes}", "percentunit", _VOTES),
                    ("Abstained", _outcome("abstained", "answered|abstained"), "percentunit", _ABSTAINED),
                    ("Errors", _outcome("error"), "percentunit", None),
                    (
                        "95 % within",
                        quantile(0.95, "nexus_answer_duration_seconds", "release", over="$__range", where=_CHOSEN),
                        "s",
                        _SLOW,
                    ),
                    (
                        "Groundedness",
                        mean("nexus_groundedness", "release", over="$__range", where=_CHOSEN),
                        "percentunit",
                        _GROUNDED,
                    ),
                    (
                        "Judged groundedness",
                        mean("nexus_judged_groundedness", "release", over="$__range", where=_CHOSEN),
                        "percentunit",
                        None,
                    ),
                ],
            ),
            stacked(
                "Share of the conversations",
                "What trainer's serving table gives each release. A canary that stays for long waits for answers to "
                "decide on.",
                Query(f"max by (release) (nexus_release_serving{_CHOSEN})", "{{release}}"),
                unit="percentunit",
                width=12,
                height=7,
            ),
            stacked(
                "Answers per minute",
                "What each release really answered. It follows the shares beside it; where not, another stepped in "
                "(below).",
                Query(f"60 * sum by (release) (rate(nexus_answers_total{_CHOSEN}[$__rate_interval]))", "{{release}}"),
                width=12,
                height=7,
            ),
        ],
    )


def _quality() -> Row:
    def watched(title: str, says: str, one: Alert) -> Panel:
        return lines(
            title, says, watched_figure(one, "{{release}}", chosen=True), unit="percentunit", watched=one, highest=1
        )

    def score(title: str, says: str, histogram: str) -> Panel:
        figure = mean(histogram, "release", over="10m", where=_CHOSEN)
        return lines(title, says, Query(figure, "{{release}}"), unit="percentunit", highest=1, width=12)

    return Row(
        "How well it answers: what asks for a better release",
        [
            watched("Down votes", "Share of recent votes, those of one voter counted a few times at most.", _VOTES),
            watched("Groundedness", "Share of an answer's words that its quotes hold. More is better.", _GROUNDED),
            watched(
                "Abstentions",
                "Share of “the documents do not say”. Read it with the relevance below: relevant passages and no "
                "answer is the reader's doing, irrelevant ones are missing documents.",
                _ABSTAINED,
            ),
            score(
                "Relevance of passages",
                "Nearness of the best passage to the question. Low for all releases: the documents do not speak of "
                "what is asked.",
                "nexus_context_relevance",
            ),
            score(
                "Relevance of answers",
                "Share of the question's words that answer and quotes speak of. Low with relevant passages: the "
                "reader misses the point.",
                "nexus_answer_relevance",
            ),
            firing(
                "Alerts on quality", "When they were pending and firing.", _VOTES.name, _GROUNDED.name, _ABSTAINED.name
            ),
        ],
    )


def _speed() -> Row:
    first = quantile(0.95, "nexus_time_to_first_token_seconds", "release", over="10m", where=_CHOSEN)
    every = "nexus_answer_duration_seconds_bucket"
    return Row(
        "How fast",
        [
            lines(
                "95 % of answers within",
                "Question to last byte, over 10 minutes. One release alone is slow: it is the release, go back to the "
                "one before.",
                watched_figure(_SLOW, "{{release}}", chosen=True),
                unit="s",
                watched=_SLOW,
            ),
            lines(
                "95 % of first words within",
                "What a person waits before something moves. Readers that write stream; the extractive one answers at "
                "once.",
                Query(first, "{{release}}"),
                unit="s",
            ),
            lines(
                "Finding",
                "Question to fused candidates, embedding included. It should stay far below 0.1 s; the rest of an "
                "answer is the reader.",
                Query(quantile(0.5, "nexus_retrieval_duration_seconds"), "half"),
                Query(quantile(0.95, "nexus_retrieval_duration_seconds"), "95 %"),
                unit="s",
            ),
            heat(
                "How long answers took",
                "Two bands are two kinds of answers: found and not found, or two releases.",
                f"sum by (le) (increase({every}{_CHOSEN}[$__rate_interval]))",
                unit="s",
            ),
            lines(
                "Reading and waiting for a turn",
                "Waiting above zero for long is more questions than readers: more cores, or fewer passages. Turned "
                "away are 503s.",
                Query("sum(nexus_readers_busy)", "being read"),
                Query("sum(nexus_readers_waiting)", "waiting"),
                Query("60 * sum(rate(nexus_answers_turned_away_total[$__rate_interval]))", "turned away a minute"),
                unit="short",
                width=12,
            ),
        ],
    )


def _failures() -> Row:
    def rates(*parts: tuple[str, str]) -> list[Query]:
        return [Query(f"60 * sum(rate({name}[$__rate_interval]))", legend) for name, legend in parts]

    return Row(
        "What goes wrong",
        [
            stacked(
                "Outcomes",
                "Shares of all answers. Errors of one release alone: the release, go back. Of all: something that rag "
                "needs is away.",
                Query(f"sum by (outcome) (rate(nexus_answers_total{_CHOSEN}[$__rate_interval]))", "{{outcome}}"),
                shares=True,
                width=12,
            ),
            lines(
                "Quotes that did not hold",
                "Per answer. Dropped: a support that is not text of a passage. Withdrawn: an answer without one valid "
                "quote. Both rise when a model writes what it did not read; the extractive reader has none.",
                Query(_per_answer("nexus_citations_dropped_total"), "dropped {{release}}"),
                Query(_per_answer("nexus_answers_withdrawn_total"), "withdrawn {{release}}"),
                unit="percentunit",
                width=12,
            ),
            lines(
                "Stepped in for another release",
                "Per minute. The release that should have answered could not: see Triton, is its reader loaded?",
                Query(
                    f"60 * sum by (release) (rate(nexus_answers_stepped_in_total{_CHOSEN}[$__rate_interval]))",
                    "{{release}}",
                ),
                unit="short",
            ),
            lines(
                "Left and lost",
                "Per minute. Abandoned: the client went first. Not kept: the answer was given but cannot be voted on. "
                "Not ranked: passages stayed as search had them, Triton's ranker did not answer.",
                *rates(
                    ("nexus_answers_abandoned_total", "abandoned"),
                    ("nexus_answers_not_kept_total", "not kept"),
                    ("nexus_passages_not_ranked_total", "not ranked"),
                ),
                unit="short",
            ),
            lines(
                "What rag did not get",
                "Per minute. Conversations are Redis', the serving table is trainer's. Releases not understood: rag "
                "is older than trainer, deploy both.",
                *rates(
                    ("nexus_conversation_errors_total", "conversations"),
                    ("nexus_serving_table_not_heard_total", "serving table"),
                    ("nexus_releases_not_understood_total", "releases not understood"),
                ),
                unit="short",
            ),
        ],
    )


def _per_answer(counter: str) -> str:
    answers = f"sum by (release) (rate(nexus_answers_total{_CHOSEN}[10m]))"
    return f"sum by (release) (rate({counter}{_CHOSEN}[10m])) / {answers}"


def _canary() -> Row:
    def compared(figure: str, title: str, says: str, unit: str) -> Panel:
        one, both = alert("NexusCanaryWorse", figure=figure), "nexus:release:champion or nexus:release:challenger"
        return lines(
            title,
            f"{says} The dashed line is what a challenger may have. trainer decides by itself; take it back by hand if "
            "it does not.",
            Query(f"({one.figure}) and on (release) ({both})", "{{release}}"),
            Query(f"{one.limit} and on () count(nexus:release:challenger)", "may be"),
            unit=unit,
            dashed="may be",
            moving=one,
        )

    return Row(
        "The challenger beside the champion, while there is a canary",
        [
            compared("errors", "Errors of both", "Share of answers that failed.", "percentunit"),
            compared("latency", "95 % of answers of both within", "Question to last byte.", "s"),
            compared("votes", "Down votes of both", "Share of recent votes.", "percentunit"),
            firing("NexusCanaryWorse over time", "When it was pending and firing.", "NexusCanaryWorse", height=4),
        ],
    )


def _second_opinion() -> Row:
    def judged(what: str, title: str, says: str) -> Panel:
        figure = mean(f"nexus_judged_{what}", "release", over="1h", where=_CHOSEN)
        return lines(title, says, Query(figure, "{{release}}"), unit="percentunit", highest=1)

    return Row(
        "The second opinion: a judge reads a sample of answers (TruLens)",
        [
            judged(
                "groundedness", "Judged groundedness", "Do the passages hold what the answer says? Mean of an hour."
            ),
            judged(
                "context_relevance",
                "Judged relevance of passages",
                "Are the passages about the question? Mean of an hour.",
            ),
            judged(
                "answer_relevance",
                "Judged relevance of answers",
                "Does the answer speak to the question? Mean of an hour.",
            ),
            stacked(
                "Judgements",
                "Per minute. Put off: the judge was busy or away. Failed: it gave up on the answer; the log has the "
                "reason.",
                Query("60 * sum by (outcome) (rate(nexus_judgements_total[$__rate_interval]))", "{{outcome}}"),
            ),
            lines(
                "How long the judge takes",
                "For one answer. A remote judge that got slow makes the queue beside it grow, never the answers.",
                Query(quantile(0.5, "nexus_judgement_seconds"), "half"),
                Query(quantile(0.95, "nexus_judgement_seconds"), "95 %"),
                unit="s",
            ),
            lines(
                "Waiting for the judge",
                "Answers that wait. Always growing: sample fewer (NEXUS_JUDGE_SHARE) or judge faster.",
                Query("max(nexus_judgements_waiting)", "waiting"),
                unit="short",
            ),
        ],
    )


def _reader() -> Row:
    model = "60 * sum by (model) (rate({}[$__rate_interval]))"
    return Row(
        "What reading costs",
        [
            lines(
                "Tokens written",
                "Per second, by release. Twice the tokens is twice the time for readers that write.",
                Query(
                    f"sum by (release) (rate(nexus_generated_tokens_total{_CHOSEN}[$__rate_interval]))", "{{release}}"
                ),
                unit="short",
            ),
            lines(
                "A remote model's tokens and cost",
                "Per minute; cost in dollars per hour at the prices set. Empty without a remote model.",
                Query(
                    "60 * sum by (model, kind) (rate(nexus_model_tokens_total[$__rate_interval]))", "{{model}} {{kind}}"
                ),
                Query("3600 * sum by (model) (rate(nexus_model_cost_usd_total[$__rate_interval]))", "{{model}} $/h"),
                unit="short",
            ),
            lines(
                "A remote model's failures",
                "Per minute. Retries hide single failures from users; failures are what users saw, or another release "
                "answered.",
                Query(model.format("nexus_model_retries_total"), "{{model}} asked again"),
                Query(model.format("nexus_model_failures_total"), "{{model}} failed"),
                unit="short",
            ),
        ],
    )
