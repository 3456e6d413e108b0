"""Questions to Prometheus that many panels ask."""

from monitoring.grafana.alerts import Alert
from monitoring.grafana.model import Query


def mean(histogram: str, by: str, *, over: str = "$__rate_interval", where: str = "") -> str:
    """The mean of what a histogram saw."""
    return (
        f"sum by ({by}) (rate({histogram}_sum{where}[{over}])) / sum by ({by}) (rate({histogram}_count{where}[{over}]))"
    )


def quantile(q: float, histogram: str, by: str = "", *, over: str = "$__rate_interval", where: str = "") -> str:
    """What this share of a histogram's values stays below."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{where}[{over}])))"


def of_chosen(expr: str) -> str:
    """Of figures by release, those of the releases chosen at the top."""
    return f'({expr}) and on (release) sum by (release) (nexus_answers_total{{release=~"$release"}})'


def watched_figure(watched: Alert, legend: str, *, chosen: bool = False) -> Query:
    """What the alert compares with its limit, to the letter."""
    return Query(of_chosen(watched.figure) if chosen else watched.figure, legend)
