"""TruLens' judges: the triad of retrieval-augmented answering, as metrics over recorded answers.

Importing TruLens takes seconds and replaces `threading.Thread` for the whole process, so this is imported by the
judge's own process alone (`judge_process`). Answers are evaluated as a batch of rows: there is no TruLens session, so
no database of its own, no app to instrument and nothing to send.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import httpx
import numpy as np
import pydantic
from trulens.core import BatchEvaluator, Metric, Provider, Selector
from trulens.core.feedback import Endpoint
from trulens.feedback import LLMProvider
from trulens.feedback.llm_provider import UNPARSABLE_SCORE
from trulens.feedback.templates import rag as templates

from trainer.observing.judging import ANSWER_RELEVANCE, CONTEXT_RELEVANCE, GROUNDEDNESS, Case, OpenAiJudge, Verdict
from trainer.observing.local_judge import LocalJudge, Opinion, statements

Reasoned = tuple[float, dict[str, Any]]
"""A score and why, as TruLens wants it."""

_SILENCE_SECONDS: Final = 120.0
_REQUESTS_A_MINUTE: Final = 600
_NOT_TAKEN: Final = (400, 422)
_RETRIES: Final = 1
"""What fails twice in a row is tried again minutes later, by whoever asked."""


class Triad:
    """Asks a provider three things about each answer."""

    def __init__(self, provider: Any, *, workers: int = 1) -> None:
        question, answer = Selector.from_column("question"), Selector.from_column("answer")
        metrics = [
            Metric(
                name=CONTEXT_RELEVANCE,
                implementation=provider.context_relevance_with_cot_reasons,
                selectors={
                    "question": question,
                    "context": Selector.from_column("contexts", collect_list=False),
                },
                agg=np.mean,
            ),
            Metric(
                name=GROUNDEDNESS,
                implementation=provider.groundedness_of_statements,
                selectors={
                    "source": Selector.from_column("contexts"),
                    "statement": answer,
                    "question": question,
                },
            ),
            Metric(
                name=ANSWER_RELEVANCE,
                implementation=provider.relevance_with_cot_reasons,
                selectors={"prompt": question, "response": answer},
            ),
        ]
        self._evaluator = BatchEvaluator(metrics, max_workers=workers)

    def verdict(self, case: Case) -> Verdict:
        """The three scores of an answer. Raises whatever goes wrong; ValueError for a score that is none."""
        began = time.monotonic()
        row = {"question": case.question, "answer": case.answer, "contexts": list(case.contexts)}
        (result,) = self._evaluator.evaluate([row]).to_dict(orient="records")
        names = (CONTEXT_RELEVANCE, GROUNDEDNESS, ANSWER_RELEVANCE)
        scores = {name: _checked(name, result[name], result[f"{name}_explanation"]) for name in names}
        reasons = {name: _told(result[f"{name}_explanation"]) for name in names}
        return Verdict(case.answer_id, scores, reasons, time.monotonic() - began)


class LocalProvider(Provider):
    """Answers TruLens' questions by `LocalJudge`, without a language model."""

    _judge: LocalJudge = pydantic.PrivateAttr()

    def __init__(self, judge: LocalJudge) -> None:
        super().__init__(name="local")
        self._judge = judge

    def context_relevance_with_cot_reasons(self, question: str, context: str) -> Reasoned:
        return _reasoned(self._judge.context_relevance(question, context))

    def groundedness_of_statements(self, source: list[str], statement: str, question: str) -> Reasoned:
        held = self._judge.groundedness(question, statement, source)
        reasons = [{"criteria": said, "score": one.score, "supporting_evidence": one.reason} for said, one in held]
        return float(np.mean([one.score for _, one in held])), {"reasons": reasons}

    def relevance_with_cot_reasons(self, prompt: str, response: str) -> Reasoned:
        return _reasoned(self._judge.answer_relevance(prompt, response))


class OpenAiProvider(LLMProvider):
    """A language model on an OpenAI-compatible server as TruLens' judge."""

    model_config: ClassVar[pydantic.ConfigDict] = pydantic.ConfigDict(
        arbitrary_types_allowed=True, protected_namespaces=()
    )
    _client: httpx.Client = pydantic.PrivateAttr()
    _schemas: bool = pydantic.PrivateAttr(default=True)
    """Whether the server is believed to take a JSON schema; the first refusal tells."""

    def __init__(self, judge: OpenAiJudge, key: str) -> None:
        endpoint = Endpoint(name="openai-compatible", rpm=_REQUESTS_A_MINUTE, retries=_RETRIES)
        super().__init__(model_engine=judge.model, endpoint=endpoint)  # type: ignore[no-untyped-call]
        # Private, as TruLens writes the fields of a provider into its descriptions of metrics.
        self._client = httpx.Client(
            base_url=judge.base_url,
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=5.0),
        )

    def groundedness_of_statements(self, source: list[str], statement: str, question: str) -> Reasoned:
        """TruLens' question about each statement. Its own way there splits sentences by a model that it downloads, and
        asks for a Python list that it evaluates as code."""
        system = templates.Groundedness.generate_system_prompt(min_score=0, max_score=3, output_space="LIKERT_0_3")
        premise = "\n\n".join(source)
        reasons = []
        for said in statements(statement):
            asked = templates.Groundedness.user_prompt.format(premise=premise, hypothesis=said)
            score, why = self.generate_score_and_reasons(system, asked, min_score_val=0, max_score_val=3)
            reasons.append({"criteria": said, "score": score, "supporting_evidence": why.get("reason", "")})
        graded = [one["score"] for one in reasons if one["score"] != UNPARSABLE_SCORE]
        return float(np.mean(graded)) if graded else UNPARSABLE_SCORE, {"reasons": reasons}

    def _create_chat_completion(
        self,
        prompt: str | None = None,
        messages: Sequence[dict[str, Any]] | None = None,
        response_format: type[pydantic.BaseModel] | None = None,
        **kwargs: Any,
    ) -> str:
        """The model's words."""
        body = {"model": self.model_engine, "messages": list(messages or [{"role": "user", "content": prompt or ""}])}
        body |= {name: value for name, value in kwargs.items() if value is not None}
        if response_format is not None and self._schemas:
            response = self._client.post("/chat/completions", json=body | {"response_format": _schema(response_format)})
            if response.status_code not in _NOT_TAKEN:
                return _words(response)
        response = self._client.post("/chat/completions", json=body)
        if response_format is not None and response.is_success:
            self._schemas = False  # it goes well without: the schema was at fault
        return _words(response)


def local(embed: Callable[[Sequence[str]], Any]) -> Triad:
    """The triad by words and meanings."""
    return Triad(LocalProvider(LocalJudge(embed)))


def openai(judge: OpenAiJudge, key: str) -> Triad:
    """The triad by a language model: its three questions go out side by side."""
    return Triad(OpenAiProvider(judge, key), workers=3)


def _words(response: httpx.Response) -> str:
    said = response.raise_for_status().json()["choices"][0]["message"].get("content")
    if not isinstance(said, str):
        raise ValueError("The judge said nothing.")
    return said


def _schema(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": model.__name__, "schema": model.model_json_schema(), "strict": True},
    }


def _reasoned(opinion: Opinion) -> Reasoned:
    return opinion.score, {"reason": opinion.reason}


def _checked(name: str, score: Any, why: Any) -> float:
    """A judge whose words hold no score has not judged."""
    if not isinstance(score, int | float) or not math.isfinite(score) or not 0 <= score <= 1:
        raise ValueError(f"The judge gave no score for {name}: {_told(why)[:300]}")
    return float(score)


def _told(explanation: Any) -> str:
    """Reasons as text, whatever form TruLens gives them."""
    match explanation:
        case str():
            return explanation
        case {"reason": why}:
            return _told(why)
        case {"reasons": [*every]} | [*every]:
            return "\n".join(_told(one) for one in every)
        case {"criteria": said, "score": score, "supporting_evidence": why}:
            return f"{score:.2f} {said!r}: {why}"
        case Mapping():
            return "; ".join(f"{name}: {value}" for name, value in explanation.items())
        case _:
            return ""
