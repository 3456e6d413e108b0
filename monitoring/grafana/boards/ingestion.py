"""The data loop: from a change in the store to something that can be found."""

from monitoring.grafana.alerts import alert
from monitoring.grafana.asking import mean, quantile, watched_figure
from monitoring.grafana.house import dashboard, firing, lines, stacked, stat
from monitoring.grafana.model import Dashboard, Query, Row

_STALE, _DEAD = alert("NexusIngestStale"), alert("NexusDeadLetters")


def board() -> Dashboard:
    """Freshness first, then the work, then what goes wrong, then the means."""
    return dashboard(
        "ingestion",
        "Nexus · Ingestion",
        "Are documents searchable as they are now? Freshness, then the work being done, what fails, and what it takes.",
        [_freshness(), _work(), _trouble(), _means()],
    )


def _documents(status: str) -> Query:
    return Query(f'max(nexus_documents{{status="{status}"}})')


def _freshness() -> Row:
    return Row(
        "Is what is found up to date?",
        [
            stat("Indexed", "Documents that can be found, in all knowledge bases.", _documents("indexed")),
            stat(
                "Waiting",
                "Queued or being indexed. It should fall to zero within seconds of a change, within minutes of an "
                "import.",
                Query('sum(max by (status) (nexus_documents{status=~"queued|indexing"}))'),
            ),
            stat("Failed", "Failed and will be tried again by themselves.", _documents("failed")),
            stat(
                "Given up",
                "Failed three times. GET /v1/dead-letters says why; mend the cause, then replay them.",
                watched_figure(_DEAD, ""),
                watched=_DEAD,
            ),
            stat(
                "Oldest change not searchable",
                "Zero when all is done.",
                watched_figure(_STALE, ""),
                unit="s",
                watched=_STALE,
            ),
            stat(
                "Indexed, last hour",
                "Documents brought up to date by the workers.",
                Query('sum(increase(nexus_index_document_seconds_count{outcome="indexed"}[1h]))'),
                decimals=0,
            ),
            lines(
                "Oldest change that is not searchable",
                "A saw tooth is an import at work. A straight line is a worker that stands: is ingest-worker up, is "
                "Milvus?",
                watched_figure(_STALE, "lag"),
                unit="s",
                watched=_STALE,
                width=12,
            ),
            stacked(
                "Documents by status",
                "Of the catalogue. Deleted ones are kept a while as a memory of what must not come back.",
                Query("max by (status) (nexus_documents)", "{{status}}"),
                width=12,
            ),
            firing("Alerts on documents", "When they were pending and firing.", _STALE.name, _DEAD.name, height=4),
        ],
    )


def _work() -> Row:
    return Row(
        "What is being done",
        [
            stacked(
                "Changes noticed",
                "Per minute, by how they were heard of. Events gone and the watcher or reconcile at work: the store's "
                "notifications do not arrive.",
                Query("60 * sum by (by) (rate(nexus_changes_noticed_total[$__rate_interval]))", "{{by}}"),
            ),
            stacked(
                "Documents done",
                "Per minute, by how it ended.",
                Query(
                    "60 * sum by (outcome) (rate(nexus_index_document_seconds_count[$__rate_interval]))", "{{outcome}}"
                ),
            ),
            lines(
                "Time for a document",
                "From taking it up to its being searchable. Large PDFs take longest; all of them slower is the "
                "embedder or Milvus.",
                Query(quantile(0.5, "nexus_index_document_seconds"), "half"),
                Query(quantile(0.95, "nexus_index_document_seconds"), "95 %"),
                unit="s",
            ),
            lines(
                "Chunks and texts",
                "Per second. Texts embedded stay below chunks written where text is known already: that work is saved.",
                Query("sum(rate(nexus_chunks_written_total[$__rate_interval]))", "chunks written"),
                Query("sum(rate(nexus_embeddings_total[$__rate_interval]))", "texts embedded"),
                unit="short",
                width=12,
            ),
            lines(
                "Mean time for a document, by how it ended",
                "Failures that take long hold up the others: a parser at its time limit.",
                Query(mean("nexus_index_document_seconds", "outcome"), "{{outcome}}"),
                unit="s",
                width=12,
            ),
        ],
    )


def _trouble() -> Row:
    return Row(
        "What goes wrong",
        [
            lines(
                "Attempts that failed",
                "Per minute. Fault of the document: it cannot be read, its owner must act. Of a dependency: the "
                "store, Milvus or Triton is away, it goes on by itself when that is back.",
                Query("60 * sum by (fault) (rate(nexus_index_failures_total[$__rate_interval]))", "{{fault}}"),
                unit="short",
            ),
            lines(
                "Repairs by reconcile",
                "Per hour. Noticed: changes whose event was lost. Rebuilt: chunks that were missing. Orphans: chunks "
                "of nobody. A few after a crash are its job; always some is a fault to find.",
                Query("sum by (kind) (increase(nexus_reconcile_repairs_total[1h]))", "{{kind}}"),
                unit="short",
            ),
            lines(
                "Tasks not queued, errors nobody foresaw",
                "Per minute. Not queued: Redis did not answer, the sweep queues them later. Unforeseen: a bug, the "
                "log has a trace.",
                Query("60 * sum(rate(nexus_queue_failures_total[$__rate_interval]))", "not queued"),
                Query(
                    "60 * sum by (at) (rate(nexus_unexpected_errors_total[$__rate_interval]))", "unforeseen at {{at}}"
                ),
                unit="short",
            ),
        ],
    )


def _means() -> Row:
    took = (
        'sum(rate(nv_inference_request_duration_us{model="embedder"}[$__rate_interval]))'
        ' / sum(rate(nv_inference_request_success{model="embedder"}[$__rate_interval]))'
    )
    waits = "sum by (model) (nv_inference_pending_request_count"
    return Row(
        "What it takes",
        [
            lines(
                "The embedder, for a request",
                "Mean. Questions use it too: an import that raises this makes answers slower, and steps back for them.",
                Query(took, "embedder"),
                unit="µs",
            ),
            lines(
                "Waiting for the embedder",
                "Requests in Triton's queue.",
                Query(waits + '{model="embedder"})', "waiting"),
                unit="short",
            ),
            lines(
                "The worker's processor and memory",
                "Cores, and memory beside it. Memory that only grows with large documents is a parser that does not "
                "let go.",
                Query('sum(rate(process_cpu_seconds_total{job="ingest-worker"}[$__rate_interval]))', "cores"),
                Query('sum(process_resident_memory_bytes{job="ingest-worker"}) / 2 ^ 30', "memory, GiB"),
                unit="short",
            ),
        ],
    )
