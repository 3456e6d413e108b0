"""Every instrument of the gateway. Labels are bounded: route templates, service names, fixed words."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "nexus_gateway_requests_total",
    "Requests finished, by route template and status; 499 means the client left first.",
    ["route", "method", "status"],
)
DURATION = Histogram(
    "nexus_gateway_request_duration_seconds",
    "Whole requests, to the last byte of the answer.",
    ["route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
UPSTREAM_WAIT = Histogram(
    "nexus_gateway_upstream_wait_seconds",
    "From asking a service to the first byte of its answer.",
    ["service"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UPSTREAM_FAILURES = Counter(
    "nexus_gateway_upstream_failures_total", "Calls a service did not answer, or not to the end.", ["service", "reason"]
)
IN_FLIGHT = Gauge("nexus_gateway_requests_in_flight", "Requests being served now.", ["kind"])
SHED = Counter("nexus_gateway_shed_total", "Requests turned away because too many were in flight.", ["kind"])
LIMITED = Counter("nexus_gateway_rate_limited_total", "Requests turned away because a key's rate was used up.")
LIMITER_FALLBACKS = Counter(
    "nexus_gateway_limiter_fallbacks_total", "Requests counted by this process alone, because Redis did not answer."
)
REFUSED = Counter("nexus_gateway_refused_total", "Requests refused at the door.", ["reason"])
DISCONNECTS = Counter("nexus_gateway_client_disconnects_total", "Clients that left before their answer was complete.")
USAGE_WRITES = Counter("nexus_gateway_usage_writes_total", "Batches of usage written to SQL.", ["outcome"])
