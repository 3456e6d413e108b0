"""The public door: promise, speed, limits, what is behind it, and the chatbot in front of it."""

from monitoring.grafana.alerts import alert
from monitoring.grafana.asking import quantile
from monitoring.grafana.house import BAD, GOOD, WARN, dashboard, firing, lines, stacked, stat
from monitoring.grafana.model import Dashboard, Query, Row, Variable

_FAST, _LONG = alert("NexusErrorBudgetBurn", window="1h"), alert("NexusErrorBudgetBurn", window="6h")
_ROUTES = Variable("route", "Route", "nexus_gateway_requests_total", "route")
_CHOSEN = '{route=~"$route"}'


def board() -> Dashboard:
    """The promise first, then who is turned away, then causes behind and the chatbot in front."""
    return dashboard(
        "gateway",
        "Nexus · Gateway and limits",
        "Is the promise kept (99 % of requests in 30 days without a 5xx), how fast is it, who is turned away, and "
        "which service behind the door is the cause.",
        [_promise(), _requests(), _limits(), _behind(), _chatbot()],
        _ROUTES,
    )


def _promise() -> Row:
    month = 'sum(increase(nexus_gateway_requests_total{status=~"5.."}[30d]))'
    left = f"1 - ({month} or vector(0)) / sum(increase(nexus_gateway_requests_total[30d])) / {_FAST.budget}"
    return Row(
        "Is the promise kept?",
        [
            stat(
                "Error budget left",
                "Of the 1 % of requests that may fail in 30 days, what is not used up. Below zero the promise is "
                "broken: change nothing that can wait.",
                Query(left),
                unit="percentunit",
                steps=[(None, BAD), (0, WARN), (0.25, GOOD)],
                width=6,
                height=8,
                sparkline=False,
            ),
            lines(
                "Failed requests, last hour",
                "Share of 5xx. The red side uses a month's budget up in two days; somebody should look at once.",
                Query(f"{_FAST.figure} or vector(0)", "last hour"),
                Query("nexus:gateway_errors:ratio_rate5m", "last 5 minutes"),
                unit="percentunit",
                watched=_FAST,
                width=9,
            ),
            lines(
                "Failed requests, last 6 hours",
                "Share of 5xx. The red side uses a month's budget up in five days; somebody should look today.",
                Query(f"{_LONG.figure} or vector(0)", "last 6 hours"),
                Query("nexus:gateway_errors:ratio_rate30m", "last 30 minutes"),
                unit="percentunit",
                watched=_LONG,
                width=9,
            ),
            firing("Alerts on errors", "When they were pending and firing.", _FAST.name, height=4),
        ],
    )


def _requests() -> Row:
    by_class = (
        'label_replace(rate(nexus_gateway_requests_total{}[$__rate_interval]), "class", "${{1}}xx", "status", "(.)..")'
    )
    return Row(
        "Requests",
        [
            stacked(
                "Requests by status",
                "Per second. 4xx are the callers' doing, a sudden many is one caller's script. 499: the client left "
                "first.",
                Query(f"sum by (class) ({by_class.format(_CHOSEN)})", "{{class}}"),
                unit="reqps",
            ),
            lines(
                "95 % of requests within, by route",
                "To the last byte of the answer. Chat completions take what rag takes; another route that is slow is "
                "its service.",
                Query(quantile(0.95, "nexus_gateway_request_duration_seconds", "route", where=_CHOSEN), "{{route}}"),
                unit="s",
            ),
            lines(
                "5xx by route",
                "Per minute. One route: its service. All: Redis or SQL under the gateway, or the gateway itself.",
                Query(
                    '60 * sum by (route, status) (rate(nexus_gateway_requests_total{route=~"$route",status=~"5.."}'
                    "[$__rate_interval]))",
                    "{{status}} {{route}}",
                ),
                unit="short",
            ),
        ],
    )


def _limits() -> Row:
    return Row(
        "Who is turned away",
        [
            lines(
                "In flight",
                "Requests and answers being served. A flat top is the limit of the slots; what is beyond is shed with "
                "a 503.",
                Query("sum by (kind) (nexus_gateway_requests_in_flight)", "{{kind}}"),
                unit="short",
            ),
            lines(
                "Shed and limited",
                "Per minute. Shed: too many at once, for everybody (503). Limited: one key's rate is used up (429); "
                "both carry Retry-After. Shed for long: more replicas of rag, or more cores.",
                Query("60 * sum by (kind) (rate(nexus_gateway_shed_total[$__rate_interval]))", "shed {{kind}}"),
                Query("60 * sum(rate(nexus_gateway_rate_limited_total[$__rate_interval]))", "limited"),
                unit="short",
            ),
            lines(
                "Refused at the door",
                "Per minute, by reason. Many unknown keys: somebody tries keys, or a key was revoked that is in use.",
                Query("60 * sum by (reason) (rate(nexus_gateway_refused_total[$__rate_interval]))", "{{reason}}"),
                unit="short",
            ),
            lines(
                "Limits counted alone",
                "Per minute. Redis did not answer, so each process of the gateway counts for itself: limits are "
                "looser, nobody is turned away for it.",
                Query("60 * sum(rate(nexus_gateway_limiter_fallbacks_total[$__rate_interval]))", "without Redis"),
                unit="short",
            ),
            lines(
                "Clients that left",
                "Per minute, before their answer was complete. They follow slowness: people do not wait.",
                Query("60 * sum(rate(nexus_gateway_client_disconnects_total[$__rate_interval]))", "left"),
                unit="short",
            ),
            stacked(
                "Batches of usage written",
                "Per minute. Failed: the database is away; usage is kept in memory and written later.",
                Query(
                    "60 * sum by (outcome) (rate(nexus_gateway_usage_writes_total[$__rate_interval]))", "{{outcome}}"
                ),
            ),
        ],
    )


def _behind() -> Row:
    return Row(
        "Behind the door",
        [
            lines(
                "95 % of first bytes within, by service",
                "From asking a service to the first byte of its answer: which one is slow.",
                Query(quantile(0.95, "nexus_gateway_upstream_wait_seconds", "service"), "{{service}}"),
                unit="s",
                width=12,
            ),
            lines(
                "Services that did not answer",
                "Per minute, by reason. No connection: it is down or starting. Timeout: it is overloaded or waits "
                "itself.",
                Query(
                    "60 * sum by (service, reason) (rate(nexus_gateway_upstream_failures_total[$__rate_interval]))",
                    "{{service}}: {{reason}}",
                ),
                unit="short",
                width=12,
            ),
        ],
    )


def _chatbot() -> Row:
    return Row(
        "In front of it: the chatbot",
        [
            stacked(
                "Questions in the chatbot",
                "Per minute, by how they ended. Stopped: the person pressed stop.",
                Query("60 * sum by (outcome) (rate(nexus_ui_questions_total[$__rate_interval]))", "{{outcome}}"),
            ),
            lines(
                "What a person waits",
                "95 % of questions. It is the gateway's time and a little; much more is the chatbot's own machine.",
                Query(quantile(0.95, "nexus_ui_first_words_seconds"), "first words"),
                Query(quantile(0.95, "nexus_ui_answer_seconds"), "whole answer"),
                unit="s",
            ),
            lines(
                "Its calls of the gateway",
                "95 % within, by operation.",
                Query(quantile(0.95, "nexus_ui_gateway_call_seconds", "operation"), "{{operation}}"),
                unit="s",
            ),
            stacked(
                "Calls by outcome",
                "Per minute. Whatever is not done well shows to people as a message on the page.",
                Query(
                    "60 * sum by (outcome) (rate(nexus_ui_gateway_call_seconds_count[$__rate_interval]))", "{{outcome}}"
                ),
            ),
            stacked(
                "Votes and uploads there",
                "In the hour before each moment. A changed vote counts again here; what counts for the loop is on "
                "Model loop.",
                Query("sum by (rating) (increase(nexus_ui_votes_total[1h]))", "{{rating}}"),
                Query("sum by (outcome) (increase(nexus_ui_uploads_total[1h]))", "upload {{outcome}}"),
            ),
            lines(
                "Pages that failed",
                "Per hour. Any is a bug; the log has a trace.",
                Query("sum(increase(nexus_ui_page_errors_total[1h]))", "pages"),
                unit="short",
            ),
        ],
    )
