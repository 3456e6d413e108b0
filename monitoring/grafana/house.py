"""How our pictures are drawn: the same colours, limits and words on every page."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitoring.grafana.alerts import Alert, alerts, names
from monitoring.grafana.model import Annotation, Dashboard, Json, Link, Panel, Query, Row, Variable

TAG = "nexus"
GOOD, BAD, WARN, PLAIN, CALM = "green", "red", "orange", "#8a8578", "blue"
BY_NAME: Json = {"mode": "palette-classic-by-name"}
"""One name, one colour: a release is as blue on one picture as on the next."""
MEANING = {
    **dict.fromkeys(("answered", "up", "promoted", "promote", "indexed", "success", "done", "2xx", "traced"), GOOD),
    **dict.fromkeys(("error", "down", "failed", "failure", "5xx", "lost"), BAD),
    **dict.fromkeys(("abstained", "rejected", "reject", "stopped", "4xx", "put_off", "cooldown", "indexing"), "yellow"),
    **dict.fromkeys(("blocked", "rolled_back", "retry", "joined"), WARN),
    **dict.fromkeys(("cancelled", "no_data", "ignored", "deleted", "passed_over", "3xx"), PLAIN),
    **dict.fromkeys(("queued", "started", "resolved", "assessed"), CALM),
}
"""What a word of a label stands for, wherever it appears."""
_SPEAKING = {f"{{{{{label}}}}}" for label in ("outcome", "status", "rating", "decision", "class")}

RELEASES = Variable("release", "Release", "nexus_answers_total", "release")

_FIRING = Annotation(
    "Alerts", 'ALERTS{alertstate="firing"}', "{{alertname}}", "{{severity}} {{release}}{{job}}", BAD, "30s"
)
_PROMOTED = Annotation(
    "Promotions",
    "nexus:release:champion unless on (release) nexus:release:champion offset 1m",
    "{{release}} is champion",
    "From here on it answers.",
    GOOD,
    "1m",
)
_CANARY = Annotation(
    "Canaries",
    "nexus:release:challenger unless on (release) nexus:release:challenger offset 1m",
    "{{release}} is challenger",
    "From here on it gets its share of the conversations.",
    WARN,
    "1m",
)


def dashboard(
    name: str,
    title: str,
    says: str,
    rows: Sequence[Row],
    *variables: Variable,
    since: str = "now-6h",
    refresh: str = "10s",
) -> Dashboard:
    """A page of ours: in the bar of all of them, with alerts and promotions marked."""
    return Dashboard(
        uid=f"nexus-{name}",
        title=title,
        says=says,
        rows=rows,
        tag=TAG,
        variables=variables,
        annotations=(_FIRING, _PROMOTED, _CANARY),
        since=since,
        refresh=refresh,
    )


def runbook(name: str) -> Link:
    """To the page that says what to do; boards/runbooks.py puts them there in this order, under one heading."""
    return Link(f"What to do: {name}", f"/d/nexus-runbooks/runbooks?viewPanel={names().index(name) + 2}")


def lines(
    title: str,
    says: str,
    *queries: Query,
    unit: str,
    watched: Alert | None = None,
    highest: float | None = None,
    width: int = 8,
    height: int = 8,
    lowest: float | None = 0,
    dashed: str = "",
    moving: Alert | None = None,
) -> Panel:
    """Figures over time. Where an alert watches them, the side that it fires on is red; where its limit moves, the
    limit is a dashed line of its own."""
    about = watched or moving
    custom: Json = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "never", "spanNulls": False}
    limits = _steps(watched) if watched else None
    if watched:
        custom["thresholdsStyle"] = {"mode": "line+area"}
    fixed = _colored_by_meaning(queries)
    if dashed:
        fixed.append(_named(dashed, _fixed(BAD), {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}}))
    return Panel(
        kind="timeseries",
        title=title,
        says=_said(says, about),
        queries=queries,
        width=width,
        height=height,
        defaults=_defaults(unit, color=BY_NAME, thresholds=limits, custom=custom, min=lowest, max=highest),
        overrides=fixed,
        options=_LEGEND_BELOW,
        links=[runbook(about.name)] if about else [],
    )


def stacked(
    title: str,
    says: str,
    *queries: Query,
    unit: str = "short",
    width: int = 8,
    height: int = 8,
    shares: bool = False,
) -> Panel:
    """Parts of a whole over time; as shares, the whole is always full."""
    custom: Json = {
        "drawStyle": "line",
        "fillOpacity": 70,
        "lineWidth": 1,
        "showPoints": "never",
        "stacking": {"mode": "percent" if shares else "normal", "group": "A"},
    }
    return Panel(
        kind="timeseries",
        title=title,
        says=says,
        queries=queries,
        width=width,
        height=height,
        defaults=_defaults(unit, color=BY_NAME, custom=custom, min=0),
        overrides=_colored_by_meaning(queries),
        options=_LEGEND_BELOW,
    )


def stat(
    title: str,
    says: str,
    *queries: Query,
    unit: str = "short",
    watched: Alert | None = None,
    steps: Sequence[tuple[float | None, str]] = (),
    width: int = 4,
    height: int = 4,
    decimals: int | None = None,
    text: str = "value",
    mappings: Sequence[Json] = (),
    sparkline: bool = True,
    link: Link | None = None,
) -> Panel:
    """One number that is read from across the room."""
    colors = _thresholds(*steps) if steps else _steps(watched, fine=GOOD)
    judged = bool(steps) or watched is not None
    shown = _defaults(unit, color={"mode": "thresholds"} if judged else {"mode": "fixed", "fixedColor": CALM})
    links = [link] if link else [runbook(watched.name)] if watched else []
    return Panel(
        kind="stat",
        title=title,
        says=_said(says, watched),
        queries=queries,
        width=width,
        height=height,
        defaults=shown | _given(thresholds=colors, decimals=decimals, mappings=[*mappings] or None, noValue="–"),
        overrides=[] if judged else _colored_by_meaning(queries),
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background" if mappings else "value",
            "graphMode": "area" if sparkline else "none",
            "textMode": text,
            "justifyMode": "auto",
            "orientation": "auto",
        },
        links=links,
    )


def light(name: str, *, width: int, says: str) -> Panel:
    """An alert as a light: fine, pending or firing. Its link leads to what to do."""
    firing, any_state = f'ALERTS{{alertname="{name}",alertstate="firing"}}', f'ALERTS{{alertname="{name}"}}'
    conditions = " ".join(one.condition for one in alerts() if one.name == name)
    return stat(
        name,
        f"{says} {conditions}",
        Query(f"max({firing}) * 2 or max({any_state}) or vector(0)", name, now=True),
        width=width,
        height=3,
        mappings=[_words({"0": ("fine", GOOD), "1": ("pending", WARN), "2": ("FIRING", BAD)})],
        steps=[(None, GOOD), (1, WARN), (2, BAD)],
        sparkline=False,
        link=runbook(name),
    )


def timeline(
    title: str, says: str, *queries: Query, words: Mapping[str, tuple[str, str]], width: int = 24, height: int = 8,
    link: Link | None = None,
) -> Panel:  # fmt: skip
    """States over time, a bar for each series."""
    return Panel(
        kind="state-timeline",
        title=title,
        says=says,
        queries=queries,
        width=width,
        height=height,
        defaults=_defaults(
            "short",
            color={"mode": "fixed", "fixedColor": CALM},
            custom={"fillOpacity": 75, "lineWidth": 0},
            mappings=[_words(words)],
        ),
        options={
            "mergeValues": True,
            "showValue": "never",
            "rowHeight": 0.8,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "single"},
        },
        links=[link] if link else [],
    )


def firing(title: str, says: str, *which: str, retrain: bool = False, height: int = 5) -> Panel:
    """When these alerts were pending and firing."""
    chosen = 'nexus_action="retrain"' if retrain else f'alertname=~"{"|".join(which)}"'
    expr = (
        f'max by (alertname, release) (ALERTS{{{chosen},alertstate="firing"}}) * 2'
        f" or max by (alertname, release) (ALERTS{{{chosen}}})"
    )
    words = {"1": ("pending", WARN), "2": ("firing", BAD)}
    return timeline(
        title, f"{says} Empty: none was.", Query(expr, "{{alertname}} {{release}}"), words=words, height=height
    )


def heat(title: str, says: str, expr: str, *, unit: str, width: int = 12, height: int = 8) -> Panel:
    """Where the values of a histogram lie: the darker, the more."""
    return Panel(
        kind="heatmap",
        title=title,
        says=says,
        queries=[Query(expr, "{{le}}", shape="heatmap")],
        width=width,
        height=height,
        defaults={"custom": {"scaleDistribution": {"type": "linear"}}},
        options={
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Blues", "fill": "dark-blue", "steps": 64, "exponent": 0.5},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": True},
            "yAxis": {"unit": unit, "axisPlacement": "left"},
        },
    )


def bars(title: str, says: str, *queries: Query, unit: str, width: int = 8, height: int = 8) -> Panel:
    """The present value of each series, beside each other."""
    return Panel(
        kind="bargauge",
        title=title,
        says=says,
        queries=queries,
        width=width,
        height=height,
        defaults=_defaults(unit, color=BY_NAME, min=0),
        overrides=_colored_by_meaning(queries),
        options={
            "displayMode": "gradient",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": True,
            "valueMode": "color",
            "namePlacement": "left",
        },
    )


def table(
    title: str, says: str, part: str, columns: Sequence[tuple[str, str, str, Alert | None]], *, height: int = 7
) -> Panel:
    """A line for each release: its part (the label `alias` of an expression), then a column (name, expression, unit,
    alert that watches it) for each figure."""
    letters = [chr(ord("B") + place) for place in range(len(columns))]
    called = {f"Value #{letter}": name for letter, (name, *_) in zip(letters, columns, strict=True)}
    names_of_columns = {"release": "Release", "alias": "Part"} | called
    hidden = {"Time": True, "Value #A": True}
    return Panel(
        kind="table",
        title=title,
        says=says,
        queries=[Query(expr, now=True, shape="table") for expr in (part, *(expr for _, expr, _, _ in columns))],
        width=24,
        height=height,
        defaults={"custom": {"align": "left"}, "noValue": "–"},
        overrides=[_column(name, unit, watched) for name, _, unit, watched in columns],
        options={"showHeader": True, "cellHeight": "md", "sortBy": [{"displayName": "Part", "desc": False}]},
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden, "renameByName": names_of_columns}},
        ],
    )


def words(title: str, text: str, *, width: int = 24, height: int = 10) -> Panel:
    """Markdown."""
    return Panel(
        kind="text", title=title, says="", width=width, height=height, options={"mode": "markdown", "content": text}
    )


_LEGEND_BELOW: Json = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _said(says: str, watched: Alert | None) -> str:
    return f"{says} {watched.condition}" if watched else says


def _steps(watched: Alert | None, fine: str = "transparent") -> Json:
    if watched is None:
        return _thresholds((None, fine))
    if watched.comparison == "<":
        return _thresholds((None, BAD), (watched.number, fine))
    # A figure at its limit is still fine; Grafana's steps begin at their value.
    return _thresholds((None, fine), (watched.number or 1e-9, BAD))


def _thresholds(*steps: tuple[float | None, str]) -> Json:
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _defaults(unit: str, **values: Any) -> Json:
    return {"unit": unit} | _given(**values)


def _fixed(color: str) -> Json:
    return {"id": "color", "value": {"mode": "fixed", "fixedColor": color}}


def _named(name: str, *properties: Json) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": [*properties]}


def _colored_by_meaning(queries: Sequence[Query]) -> list[Json]:
    """Where a label's words name the series: one override a colour, for all words of that meaning."""
    if not any(query.legend in _SPEAKING for query in queries):
        return []
    colors: dict[str, list[str]] = {}
    for word, color in MEANING.items():
        colors.setdefault(color, []).append(word)
    return [
        {"matcher": {"id": "byRegexp", "options": f"/^({'|'.join(meant)})$/"}, "properties": [_fixed(color)]}
        for color, meant in colors.items()
    ]


def _words(meanings: Mapping[str, tuple[str, str]]) -> Json:
    options = {value: {"text": text, "color": color} for value, (text, color) in meanings.items()}
    return {"type": "value", "options": options}


def _column(name: str, unit: str, watched: Alert | None) -> Json:
    properties: list[Json] = [{"id": "unit", "value": unit}, {"id": "decimals", "value": 0 if unit == "short" else 1}]
    if watched:
        properties += [
            {"id": "color", "value": {"mode": "thresholds"}},
            {"id": "thresholds", "value": _steps(watched)},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
        ]
    return _named(name, *properties)
