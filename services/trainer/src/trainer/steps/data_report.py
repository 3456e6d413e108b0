"""The data of a run as a page: what was learnt from, what was left out and why."""

import base64
import html
import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from trainer.improvement.preparing import Account, Split

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; border-bottom: 1px solid #d8dee6;
text-align: left } td + td, th + th { text-align: right } img { max-width: 100% } h2 { margin-top: 2rem }
"""


def write_report(path: Path, account: Account, parts: Split) -> None:
    """One file with everything in it, pictures too."""
    used = sum(account.origins.values())
    by_document = Counter(example.document for example in (*parts.train, *parts.held_out))
    sections = [
        "<h1>Data of this run</h1>",
        f"<p>Of {account.votes} votes {used} became examples: {len(parts.train)} to learn from, {len(parts.held_out)} "
        f"to measure on. {parts.leaks} were taken out because one held out asks the same.</p>",
        _table("Where examples come from", ("origin", "examples"), account.origins),
        _table("What was left out, and why", ("reason", "votes"), account.dropped),
        _table("Personal data taken out of questions", ("kind", "places"), account.personal_data),
        _table("Documents that answer", ("document", "examples"), dict(by_document.most_common(30))),
        _picture(account, parts),
    ]
    title = "Data of an improvement run"
    page = f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>{''.join(sections)}"
    path.write_text(page, encoding="utf-8")


def _table(title: str, heads: tuple[str, str], rows: Mapping[str, int]) -> str:
    if not rows:
        return f"<h2>{html.escape(title)}</h2><p>Nothing.</p>"
    body = "".join(f"<tr><td>{html.escape(name)}</td><td>{count}</td></tr>" for name, count in rows.items())
    return f"<h2>{html.escape(title)}</h2><table><tr><th>{heads[0]}</th><th>{heads[1]}</th></tr>{body}</table>"


def _picture(account: Account, parts: Split) -> str:
    """Examples by their answers' length, and votes by what became of them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 3.6))
    every = (*parts.train, *parts.held_out)
    left.hist([len(one.answer.split()) for one in every if one.answer], bins=range(1, 22), color="#3b6ea5")
    left.set(title="Words of an answer", xlabel="words", ylabel="examples")
    fates = {"learnt from": len(parts.train), "measured on": len(parts.held_out), **account.dropped}
    names = [name if len(name) < 34 else name[:33] + "…" for name in fates]
    right.barh(names[::-1], list(fates.values())[::-1], color="#7a9e7e")
    right.set(title="What became of the votes")
    figure.tight_layout()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    pyplot.close(figure)
    return (
        f'<img alt="Pictures of the data" src="data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}">'
    )
