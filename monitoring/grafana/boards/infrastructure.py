"""What everything stands on: processes, doors between services, stores, and monitoring itself."""

from monitoring.grafana.alerts import alert
from monitoring.grafana.house import BAD, CALM, GOOD, WARN, dashboard, firing, lines, runbook, stacked, stat, timeline
from monitoring.grafana.model import Dashboard, Query, Row, Variable

_DOWN = alert("NexusServiceDown")
_JOBS = Variable("job", "Part", "up", "job")
_CHOSEN = '{job=~"$job"}'


def board() -> Dashboard:
    """Up or not, then processes, then HTTP between services, then stores as they are felt, then monitoring."""
    return dashboard(
        "infrastructure",
        "Nexus · Infrastructure",
        "What is up, what it uses, how services answer each other, how the stores below are felt, and whether "
        "monitoring itself can be trusted.",
        [_up(), _processes(), _doors(), _stores(), _monitoring()],
        _JOBS,
    )


def _up() -> Row:
    return Row(
        "What is up",
        [
            timeline(
                "Parts of the platform",
                "Red: Prometheus could not read the part. Several at once have one cause: begin with Redis, Milvus, "
                "Triton.",
                Query(f"min by (job, instance) ({_DOWN.figure}{_CHOSEN})", "{{job}} {{instance}}"),
                words={"0": ("down", BAD), "1": ("up", GOOD)},
                height=9,
                link=runbook(_DOWN.name),
            ),
            firing("Alerts on parts", "When they were pending and firing.", _DOWN.name, height=4),
            stat(
                "Parts that do not answer",
                "Right now.",
                Query(f"count({_DOWN.figure}{_CHOSEN} == {_DOWN.limit}) or vector(0)"),
                steps=[(None, GOOD), (1, BAD)],
                width=6,
            ),
            stat(
                "Starts in the last hour",
                "Of processes. After a deployment some; without one, something dies and is started again: its log "
                "says why.",
                Query(f"sum(changes(process_start_time_seconds{_CHOSEN}[1h]))"),
                steps=[(None, CALM), (1, WARN)],
                width=6,
            ),
            stat(
                "Longest without a restart",
                "The oldest process of the parts chosen.",
                Query(f"max(time() - process_start_time_seconds{_CHOSEN})"),
                unit="s",
                width=6,
                sparkline=False,
            ),
            stat(
                "Fewest file handles left",
                "Of any process, as a share of its limit. Near zero nothing can be opened or connected: raise the "
                "limit, find the leak.",
                Query(f"1 - max(process_open_fds{_CHOSEN} / process_max_fds{_CHOSEN})"),
                unit="percentunit",
                steps=[(None, BAD), (0.1, WARN), (0.3, GOOD)],
                width=6,
            ),
        ],
    )


def _processes() -> Row:
    return Row(
        "What it uses",
        [
            lines(
                "Processor",
                "Cores, by part. Training and imports take what is left; answers go first.",
                Query(f"sum by (job) (rate(process_cpu_seconds_total{_CHOSEN}[$__rate_interval]))", "{{job}}"),
                unit="short",
            ),
            lines(
                "Memory",
                "Resident, by part. A line that only rises for days is a leak; restart the part, then look for it.",
                Query(f"sum by (job) (process_resident_memory_bytes{_CHOSEN})", "{{job}}"),
                unit="bytes",
            ),
            lines(
                "File handles",
                "Open, by part. Rising for hours: connections that are not given back.",
                Query(f"sum by (job) (process_open_fds{_CHOSEN})", "{{job}}"),
                unit="short",
            ),
        ],
    )


def _doors() -> Row:
    slowest = "histogram_quantile(0.95, sum by (job, le) (rate(nexus_http_request_duration_highr_seconds_bucket"
    return Row(
        "How services answer each other",
        [
            stacked(
                "HTTP requests",
                "Per second, by part; probes and scrapes are not counted.",
                Query(f"sum by (job) (rate(nexus_http_requests_total{_CHOSEN}[$__rate_interval]))", "{{job}}"),
                unit="reqps",
                width=6,
            ),
            lines(
                "5xx",
                "Per minute, by part. The part furthest from the gateway is the cause; the others pass it on.",
                Query(
                    '60 * sum by (job) (rate(nexus_http_requests_total{job=~"$job",status="5xx"}[$__rate_interval]))',
                    "{{job}}",
                ),
                unit="short",
                width=6,
            ),
            lines(
                "95 % within",
                "To the first byte where an answer streams, by part.",
                Query(f"{slowest}{_CHOSEN}[$__rate_interval])))", "{{job}}"),
                unit="s",
                width=6,
            ),
            lines(
                "In flight",
                "Being served, by part. It rises where requests wait for something below.",
                Query(f"sum by (job) (nexus_http_requests_in_flight{_CHOSEN})", "{{job}}"),
                unit="short",
                width=6,
            ),
        ],
    )


def _stores() -> Row:
    def rate(name: str) -> str:
        return f"60 * sum(rate({name}[$__rate_interval]))"

    return Row(
        "The stores below, as services feel them",
        [
            lines(
                "Redis",
                "Per minute: conversations not read or kept, limits counted without it, tasks not queued. Any of them "
                "at once with the others: Redis is away or full.",
                Query(rate("nexus_conversation_errors_total"), "conversations"),
                Query(rate("nexus_gateway_limiter_fallbacks_total"), "limits"),
                Query(rate("nexus_queue_failures_total"), "tasks not queued"),
                unit="short",
            ),
            lines(
                "SQL",
                "Per minute: usage and answers that could not be written. The disk is full, or the database is away.",
                Query(rate('nexus_gateway_usage_writes_total{outcome="failed"}'), "usage"),
                Query(rate("nexus_answers_not_kept_total"), "answers"),
                unit="short",
            ),
            lines(
                "Milvus and the embedder",
                "95 % of retrievals within, question to candidates; and indexing that failed for a dependency, per "
                "minute.",
                Query(
                    "histogram_quantile(0.95, sum by (le) "
                    "(rate(nexus_retrieval_duration_seconds_bucket[$__rate_interval])))",
                    "retrieval, s",
                ),
                Query(rate('nexus_index_failures_total{fault="dependency"}'), "indexing failed"),
                unit="short",
            ),
            stacked(
                "MLflow, by status",
                "Requests per second. 5xx: its database or disk; runs cannot be logged, answers go on.",
                Query("sum by (status) (rate(mlflow_http_request_total[$__rate_interval]))", "{{status}}"),
                unit="reqps",
                width=12,
            ),
            lines(
                "MLflow, 95 % within",
                "Slow for all that trainer does with it; nobody who asks questions waits for it.",
                Query(
                    "histogram_quantile(0.95, sum by (le) "
                    "(rate(mlflow_http_request_duration_seconds_bucket[$__rate_interval])))",
                    "95 %",
                ),
                unit="s",
                width=12,
            ),
        ],
    )


def _monitoring() -> Row:
    return Row(
        "Can monitoring be trusted?",
        [
            lines(
                "Rules and messages that failed",
                "Per minute. Rules: an alert cannot be evaluated. Messages: alerts do not reach Alertmanager, or do "
                "not leave it for alert-bridge.",
                Query("60 * sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))", "rules"),
                Query("60 * sum(rate(prometheus_notifications_errors_total[$__rate_interval]))", "to Alertmanager"),
                Query("60 * sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))", "dropped"),
                Query(
                    "60 * sum by (integration) (rate(alertmanager_notifications_failed_total[$__rate_interval]))",
                    "from Alertmanager by {{integration}}",
                ),
                unit="short",
            ),
            lines(
                "Reading the parts takes",
                "By part. Near the limit of a scrape (4 s) the part counts as down while it is only slow.",
                Query(f"max by (job) (scrape_duration_seconds{_CHOSEN})", "{{job}}"),
                unit="s",
            ),
            lines(
                "Series and space",
                "Series in memory, and space on disk. Series that jump have a label that should not be one.",
                Query("max(prometheus_tsdb_head_series)", "series"),
                Query("max(prometheus_tsdb_storage_blocks_bytes) / 2 ^ 20", "MiB on disk"),
                unit="short",
            ),
            stat(
                "Samples a scrape, by part",
                "How much each part exports. It grows with releases and routes, never with users.",
                Query(f"max by (job) (scrape_samples_scraped{_CHOSEN})", "{{job}}", now=True),
                width=24,
                height=4,
                text="value_and_name",
                sparkline=False,
            ),
        ],
    )
