"""Evaluate a running platform on a corpus and its questions.

    python -m tests.evaluation                                        the development corpus, against .nexus/env
    python -m tests.evaluation --corpus docs/ --questions asked.jsonl your own

    python -m tests.evaluation --beside before.json after.json        two or more evaluations side by side

The documents go into a knowledge base named after them, where an unchanged document costs nothing the next time.
Retrieval is compared with dense search alone, BM25 alone and plain reciprocal rank fusion over the same chunks, and
with LlamaIndex's default pipeline, all with the platform's embedder.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from tests.e2e.clients import Nexus
from tests.e2e.stack import read_env
from tests.evaluation import baselines, platform, plots, report
from tests.evaluation.corpus import Corpus, Question, load_corpus, load_questions
from tests.evaluation.judging import Reply, rank_of_evidence, short_answer

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT.parent / "shared" / "corpora" / "dev"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if asked.beside:
        return _beside(asked.beside, asked.out, console)
    if missing := [str(path) for path in (asked.corpus, asked.questions, asked.env) if not path.exists()]:
        console.print(f"There is no {', '.join(missing)}; see --help", style="red")
        return 2
    corpus, questions = load_corpus(asked.corpus), load_questions(asked.questions)
    env = read_env(asked.env)
    base = asked.knowledge_base or f"eval-{_digest(corpus)}"
    with Nexus(env["NEXUS_URL"], env["NEXUS_API_KEY"], base=base, timeout=120.0) as nexus:
        console.print(f"{len(corpus.documents)} documents, {len(questions)} questions, knowledge base {base}")
        result: dict[str, Any] = {"indexed_seconds": round(platform.ingest(nexus, corpus), 1)}
        result["retrieval"] = report.retrieval(questions, _ranks(nexus, env, corpus, questions, asked.baselines))
        if asked.answers:
            result |= _answers(nexus, corpus, questions, env, asked.env)
    report.show(result, console)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    plots.draw({asked.out.stem: result}, asked.out.with_suffix(".png"))
    console.print(f"Written to {asked.out}, with pictures beside it")
    return 0


def _beside(files: Sequence[Path], out: Path, console: Console) -> int:
    if missing := [str(path) for path in files if not path.exists()]:
        console.print(f"There is no {', '.join(missing)}", style="red")
        return 2
    results = {path.stem: json.loads(path.read_text()) for path in files}
    report.beside(results, console)
    picture = out.with_name("beside.png")
    plots.draw(results, picture)
    console.print(f"Pictures in {picture}")
    return 0


def _ranks(
    nexus: Nexus, env: Mapping[str, str], corpus: Corpus, questions: Sequence[Question], with_baselines: bool
) -> dict[str, report.Ranks]:
    searches: dict[str, baselines.Search] = {"nexus": lambda question: platform.search(nexus, question)}
    if with_baselines:
        embed = baselines.platform_embedder(nexus.http)
        url = env["NEXUS_MILVUS_URL"]
        searches |= baselines.same_chunks(url, embed, tenant="default", knowledge_base=nexus.base)
        searches["LlamaIndex default"] = baselines.llama_index_default(corpus.texts, embed)
    answerable = [question for question in questions if question.answerable]
    return {
        name: {
            question.id: rank_of_evidence(question, search(question.text))
            for question in track(answerable, description=name, disable=not sys.stdout.isatty())
        }
        for name, search in searches.items()
    }


def _answers(
    nexus: Nexus, corpus: Corpus, questions: Sequence[Question], env: Mapping[str, str], env_file: Path
) -> dict[str, Any]:
    replies = {
        question.id: platform.ask(nexus, question.text)
        for question in track(questions, description="answers", disable=not sys.stdout.isatty())
    }
    platform.add_sureness(replies, env, env_file)
    return {
        "answers": report.answers(questions, replies, corpus.texts),
        "abstention": report.abstention(questions, replies),
        "sureness": report.sureness(questions, replies),
        "latency": report.latency(replies.values()),
        "replies": [_line(question, replies[question.id]) for question in questions],
    }


def _line(question: Question, reply: Reply) -> dict[str, Any]:
    return {
        "id": question.id,
        "question": question.text,
        "expected": question.answers,
        "short": None if reply.abstained else short_answer(reply.text),
        "answer": reply.text,
        "document": question.document,
        "kind": question.kind,
        "sureness": reply.sureness,
        "cited": [citation["document"] for citation in reply.citations],
        "timings": reply.timings,
    }


def _digest(corpus: Corpus) -> str:
    return hashlib.sha256("\n".join(corpus.documents).encode()).hexdigest()[:8]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=DEV, help="folder of documents (default: %(default)s)")
    parser.add_argument("--questions", type=Path, default=DEV / "questions.jsonl", help="JSON lines, see corpus.py")
    parser.add_argument("--env", type=Path, default=ROOT / ".nexus" / "env", help="the stack's env file")
    parser.add_argument("--knowledge-base", help="an existing or new knowledge base (default: one for this corpus)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "bench-results" / "evaluation.json", help="where the JSON goes"
    )
    parser.add_argument("--beside", type=Path, nargs="+", metavar="JSON", help="show results of earlier evaluations")
    parser.add_argument("--no-baselines", dest="baselines", action="store_false", help="the platform's retrieval alone")
    parser.add_argument("--no-answers", dest="answers", action="store_false", help="retrieval alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
