"""Every instrument of ingest. The API's are served at its /metrics; the worker has a registry and a port of its own."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from ingest.catalogue import Clock, Overview, utc_now

DOCUMENTS: Final = Gauge("nexus_documents", "Documents in the catalogue.", ["status"])
INGEST_LAG: Final = Gauge(
    "nexus_ingest_lag_seconds", "Age of the oldest change that is not searchable yet; 0 when there is none."
)
DEAD_LETTERS: Final = Gauge("nexus_dead_letters", "Documents that were given up.")
QUEUE_FAILURES: Final = Counter("nexus_queue_failures_total", "Tasks that could not be queued at once.")
CHANGES_NOTICED: Final = Counter("nexus_changes_noticed_total", "Changes noticed in the store.", ["by"])
UNEXPECTED: Final = Counter(
    "nexus_unexpected_errors_total", "Errors nobody foresaw, by where they were caught.", ["at"]
)

WORKER: Final = CollectorRegistry()
ProcessCollector(registry=WORKER)
GCCollector(registry=WORKER)
CHUNKS_WRITTEN: Final = Counter("nexus_chunks_written_total", "Chunks written to the index.", registry=WORKER)
EMBEDDINGS: Final = Counter("nexus_embeddings_total", "Texts embedded; known ones are not.", registry=WORKER)
INDEX_SECONDS: Final = Histogram(
    "nexus_index_document_seconds",
    "Time to bring one document to its wished state.",
    ["outcome"],
    registry=WORKER,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
FAILURES: Final = Counter(
    "nexus_index_failures_total", "Attempts that failed, by what was at fault.", ["fault"], registry=WORKER
)
WORKER_UNEXPECTED: Final = Counter(
    "nexus_unexpected_errors_total", "Errors nobody foresaw, by where they were caught.", ["at"], registry=WORKER
)
RECONCILED: Final = Counter("nexus_reconcile_repairs_total", "Repairs of reconcile.", ["kind"], registry=WORKER)


def show(overview: Overview, clock: Clock = utc_now) -> None:
    """Set the gauges that mirror the catalogue."""
    for status, count in overview.by_status.items():
        DOCUMENTS.labels(status).set(count)
    oldest = overview.oldest_wish
    INGEST_LAG.set(0 if oldest is None else max(0.0, (clock() - oldest).total_seconds()))
    DEAD_LETTERS.set(overview.dead_letters)
