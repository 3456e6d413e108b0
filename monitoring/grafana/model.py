"""What a Grafana dashboard is made of, and the JSON of it. Knows nothing of Nexus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

SCHEMA = 39  # Grafana 11's first; later ones bring it up to date when they read it
COLUMNS = 24
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One PromQL expression, and what its series are called."""

    expr: str
    legend: str = ""
    now: bool = False
    """The present value alone, not a value for each moment."""
    shape: str = "time_series"

    def json(self, letter: str) -> Json:
        """As Grafana has it."""
        return {
            "editorMode": "code",
            "expr": self.expr,
            "format": self.shape,
            "instant": self.now,
            "legendFormat": self.legend or "__auto",
            "range": not self.now,
            "refId": letter,
        }


@dataclass(frozen=True)
class Link:
    """From a panel to another page."""

    title: str
    url: str

    def json(self) -> Json:
        """As Grafana has it."""
        return {"title": self.title, "url": self.url}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture: what it shows, what that means, and how it is drawn."""

    kind: str
    title: str
    says: str
    queries: Sequence[Query] = ()
    width: int = 8
    height: int = 8
    defaults: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    transformations: Sequence[Json] = ()
    links: Sequence[Link] = ()

    def json(self, number: int, *, x: int, y: int) -> Json:
        """As Grafana has it, at this place."""
        shown: Json = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.says,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "options": dict(self.options),
        }
        if self.links:
            shown["links"] = [link.json() for link in self.links]
        if self.transformations:
            shown["transformations"] = list(self.transformations)
        if not self.queries:
            return shown
        return shown | {
            "datasource": SOURCE,
            "fieldConfig": {"defaults": dict(self.defaults), "overrides": list(self.overrides)},
            "targets": [query.json(chr(ord("A") + place)) for place, query in enumerate(self.queries)],
        }


@dataclass(frozen=True)
class Row:
    """Panels under one heading. They fill line after line from the left."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """What the reader chooses at the top, of the values that a label has: all of them unless told otherwise."""

    name: str
    title: str
    metric: str
    label: str

    def json(self) -> Json:
        """As Grafana has it."""
        asked = f"label_values({self.metric}, {self.label})"
        return {
            "name": self.name,
            "label": self.title,
            "type": "query",
            "datasource": SOURCE,
            "definition": asked,
            "query": {"query": asked, "refId": "values"},
            "refresh": 2,  # when the time range changes too: a release may be newer than the page
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
        }


@dataclass(frozen=True)
class Annotation:
    """Moments marked on every picture: while the expression has a series, or where it gets one."""

    name: str
    expr: str
    title: str
    text: str
    color: str
    step: str

    def json(self) -> Json:
        """As Grafana has it."""
        return {
            "name": self.name,
            "datasource": SOURCE,
            "enable": True,
            "hide": False,
            "iconColor": self.color,
            "expr": self.expr,
            "step": self.step,
            "titleFormat": self.title,
            "textFormat": self.text,
        }


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A page: rows that tell a story from above to below."""

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    tag: str
    variables: Sequence[Variable] = ()
    annotations: Sequence[Annotation] = ()
    since: str = "now-6h"
    refresh: str = "10s"

    def json(self) -> Json:
        """As Grafana has it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": [self.tag],
            "schemaVersion": SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.since, "to": "now"},
            "refresh": self.refresh,
            "links": [_to_the_others(self.tag)],
            "templating": {"list": [_DATASOURCE, *(variable.json() for variable in self.variables)]},
            "annotations": {"list": [annotation.json() for annotation in self.annotations]},
            "panels": list(_placed(self.rows)),
        }


_DATASOURCE: Json = {
    "name": "datasource",
    "label": "Prometheus",
    "type": "datasource",
    "query": "prometheus",
    "current": {"text": "Prometheus", "value": "prometheus"},
}


def _to_the_others(tag: str) -> Json:
    return {
        "type": "dashboards",
        "title": "Nexus",
        "tags": [tag],
        "asDropdown": False,
        "keepTime": True,
        "includeVars": False,
        "icon": "external link",
        "targetBlank": False,
    }


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    number, y = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield panel.json(number, x=x, y=y)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
