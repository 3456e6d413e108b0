"""Reports as one HTML file with everything in it, pictures too."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; border-bottom: 1px solid #d8dee6;
text-align: right } td:first-child, th:first-child { text-align: left } img { max-width: 100% } h2 { margin-top: 2rem }
"""


def write_page(path: Path, title: str, sections: Sequence[str]) -> None:
    """Write the page. Sections are HTML; `table` and `picture` make some."""
    head = f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    path.write_text(f"{head}<h1>{html.escape(title)}</h1>{''.join(sections)}", encoding="utf-8")


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table under its title; the first column names, the others count."""

    def line(tag: str, cells: Sequence[object]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    if not rows:
        return f"<h2>{html.escape(title)}</h2><p>Nothing.</p>"
    return f"<h2>{html.escape(title)}</h2><table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"


def picture(description: str, draw: Callable[..., None], *given: Any) -> str:
    """What `draw(axes, *given)` draws; the description is for those who cannot see it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    draw(axes, *given)
    axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    pyplot.close(figure)
    encoded = base64.b64encode(drawn.getvalue()).decode()
    return f'<img alt="{html.escape(description)}" src="data:image/png;base64,{encoded}">'
