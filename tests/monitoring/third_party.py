"""Series of others that our dashboards show, each with where it is from; what is not shown is not here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Who exports them, and where that is written."""

    name: str
    documented: str
    series: dict[str, frozenset[str]]


def _all(labels: str, *names: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(names, frozenset(labels.split()))


SOURCES = (
    Source(
        "Prometheus, of each scrape",
        "https://prometheus.io/docs/concepts/jobs_instances/",
        _all("", "up", "scrape_duration_seconds", "scrape_samples_scraped"),
    ),
    Source(
        "Prometheus, of itself",
        "its own /metrics, 2.42",
        _all("", "prometheus_notifications_dropped_total", "prometheus_tsdb_head_series")
        | _all("", "prometheus_tsdb_storage_blocks_bytes")
        | _all("rule_group", "prometheus_rule_evaluation_failures_total")
        | _all("alertmanager", "prometheus_notifications_errors_total"),
    ),
    Source(
        "Alertmanager",
        "its own /metrics, 0.25",
        _all("integration", "alertmanager_notifications_failed_total"),
    ),
    Source(
        "Triton",
        "https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html",
        _all(
            "model version",
            "nv_inference_request_success",
            "nv_inference_count",
            "nv_inference_exec_count",
            "nv_inference_request_duration_us",
            "nv_inference_queue_duration_us",
            "nv_inference_compute_input_duration_us",
            "nv_inference_compute_infer_duration_us",
            "nv_inference_compute_output_duration_us",
            "nv_inference_pending_request_count",
        )
        | _all("model version reason", "nv_inference_request_failure")
        | _all("", "nv_cpu_utilization", "nv_cpu_memory_used_bytes", "nv_cpu_memory_total_bytes")
        | _all("", "nv_pinned_memory_pool_used_bytes", "nv_pinned_memory_pool_total_bytes"),
    ),
    Source(
        "Triton, where there is a GPU",
        "https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html",
        _all(
            "gpu_uuid",
            "nv_gpu_utilization",
            "nv_gpu_memory_used_bytes",
            "nv_gpu_memory_total_bytes",
            "nv_gpu_power_usage",
        ),
    ),
    Source(
        "MLflow",
        "mlflow server --expose-prometheus (prometheus-flask-exporter)",
        _all("method status", "mlflow_http_request_total")
        | _all("le method status mlflow_version", "mlflow_http_request_duration_seconds_bucket"),
    ),
)
