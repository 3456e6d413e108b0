"""The models in Triton: the embedder, the ranker, a reader for each release."""

from monitoring.grafana.alerts import alert
from monitoring.grafana.asking import watched_figure
from monitoring.grafana.house import BAD, GOOD, WARN, dashboard, lines, stacked, stat
from monitoring.grafana.model import Dashboard, Query, Row, Variable

_SLOW = alert("NexusAnswerSlow")
_MODELS = Variable("model", "Model", "nv_inference_request_success", "model")
_CHOSEN = '{model=~"$model"}'


def board() -> Dashboard:
    """What answers feel first, then where a request's time goes, then the machine."""
    return dashboard(
        "triton",
        "Nexus · Triton",
        "Is serving the models what makes answers slow or fail? Requests, where their time goes, batches, and the "
        "machine. Its figures are Triton's own.",
        [_requests(), _time(), _machine()],
        _MODELS,
    )


def _rate(name: str) -> str:
    return f"sum by (model) (rate({name}{_CHOSEN}[$__rate_interval]))"


def _of_a_request(name: str) -> str:
    return f"{_rate(name)} / {_rate('nv_inference_request_success')}"


def _of_all(name: str) -> Query:
    spent = f"sum(rate(nv_inference_{name}_duration_us{_CHOSEN}[$__rate_interval]))"
    requests = f"sum(rate(nv_inference_request_success{_CHOSEN}[$__rate_interval]))"
    return Query(f"{spent} / {requests}", name.replace("compute_", ""))


def _requests() -> Row:
    return Row(
        "What answers feel",
        [
            lines(
                "95 % of answers within",
                "The whole of an answer, to compare with what Triton takes below.",
                watched_figure(_SLOW, "{{release}}"),
                unit="s",
                watched=_SLOW,
            ),
            lines(
                "Requests",
                "Per second, by model. Answers ask the embedder and a reader; imports ask the embedder alone.",
                Query(_rate("nv_inference_request_success"), "{{model}}"),
                unit="reqps",
            ),
            lines(
                "Failed requests",
                "Per minute, by reason. Canceled: the client left, which is well. Rejected: the queue is full. "
                "Backend: the model's own error, in Triton's log.",
                Query(
                    f"60 * sum by (model, reason) (rate(nv_inference_request_failure{_CHOSEN}[$__rate_interval]))",
                    "{{model}}: {{reason}}",
                ),
                unit="short",
            ),
        ],
    )


def _time() -> Row:
    return Row(
        "Where the time of a request goes",
        [
            lines(
                "A request, from end to end",
                "Mean, by model. Readers take most; the embedder should stay in milliseconds.",
                Query(_of_a_request("nv_inference_request_duration_us"), "{{model}}"),
                unit="µs",
            ),
            lines(
                "In the queue",
                "Mean, by model. More than computing takes: more requests than instances. More instances, cores or "
                "replicas.",
                Query(_of_a_request("nv_inference_queue_duration_us"), "{{model}}"),
                unit="µs",
            ),
            lines(
                "Computing",
                "Mean, by model. It rises with longer passages, larger batches and a machine that is busy elsewhere.",
                Query(_of_a_request("nv_inference_compute_infer_duration_us"), "{{model}}"),
                unit="µs",
            ),
            stacked(
                "Parts of a request",
                "Mean over the models chosen. Input and output are copying; they matter with large batches on a GPU.",
                *(_of_all(part) for part in ("queue", "compute_input", "compute_infer", "compute_output")),
                unit="µs",
            ),
            lines(
                "Batch size",
                "Mean texts for one execution. One, while requests wait: batching does not work, look at the model's "
                "config.pbtxt.",
                Query(f"{_rate('nv_inference_count')} / {_rate('nv_inference_exec_count')}", "{{model}}"),
                unit="short",
            ),
            lines(
                "Waiting now",
                "Requests in the queue, by model. Scaling by load looks at this.",
                Query(f"sum by (model) (nv_inference_pending_request_count{_CHOSEN})", "{{model}}"),
                unit="short",
            ),
        ],
    )


def _machine() -> Row:
    return Row(
        "The machine",
        [
            lines(
                "Processor",
                "Of the whole machine, as Triton sees it. Always full: answers wait for each other, and for imports.",
                Query("max by (instance) (nv_cpu_utilization)", "{{instance}}"),
                unit="percentunit",
                highest=1,
            ),
            stat(
                "Memory in use",
                "Of the whole machine. Near the top the kernel ends processes: fewer readers loaded, or smaller ones.",
                Query("max(nv_cpu_memory_used_bytes / nv_cpu_memory_total_bytes)"),
                unit="percentunit",
                steps=[(None, GOOD), (0.85, WARN), (0.95, BAD)],
                width=8,
                height=8,
            ),
            lines(
                "Pinned memory",
                "Of the pool for copies to a GPU. Unused on a CPU; full, copies are slower.",
                Query("max by (instance) (nv_pinned_memory_pool_used_bytes)", "used"),
                Query("max by (instance) (nv_pinned_memory_pool_total_bytes)", "pool"),
                unit="bytes",
            ),
            lines(
                "GPU",
                "Empty without one. Low while requests wait: the batches are too small.",
                Query("max by (gpu_uuid) (nv_gpu_utilization)", "{{gpu_uuid}}"),
                unit="percentunit",
                highest=1,
            ),
            lines(
                "GPU memory",
                "Share in use; empty without a GPU. Above 0.95 the next release may not be loaded beside the old one.",
                Query(
                    "max by (gpu_uuid) (nv_gpu_memory_used_bytes) / max by (gpu_uuid) (nv_gpu_memory_total_bytes)",
                    "{{gpu_uuid}}",
                ),
                unit="percentunit",
                highest=1,
            ),
            lines(
                "GPU power",
                "Empty without a GPU.",
                Query("max by (gpu_uuid) (nv_gpu_power_usage)", "{{gpu_uuid}}"),
                unit="watt",
            ),
        ],
    )
