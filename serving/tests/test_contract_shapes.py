"""Our plain dataclasses speak the JSON of opskit.contracts.reader."""

from nexus_serving.engines.contract import Delta, ReaderRequest, Result, Support
from opskit.contracts import reader as contract


def test_a_request_of_the_contract_is_understood():
    sent = contract.ReaderRequest(
        question="Why?",
        passages=[contract.Passage(number=2, document="d.md", title="T", heading="A > B", text="Because.")],
        abstain_below=0.5,
    )
    got = ReaderRequest.parse(sent.model_dump_json().encode())
    assert (got.question, got.abstain_below, got.max_answer_tokens) == ("Why?", 0.5, sent.limits.max_answer_tokens)
    assert (got.passages[0].number, got.passages[0].text, got.passages[0].document) == (2, "Because.", "d.md")


def test_what_is_sent_is_understood_by_the_contract():
    delta = contract.READER_EVENT.validate_json(Delta("héllo").to_json())
    assert delta == contract.ReaderDelta(text="héllo")
    sent = Result("a [1]", "a", False, 0.9, 12, 3, (Support(1, 0, 4),))
    result = contract.READER_EVENT.validate_json(sent.to_json())
    assert isinstance(result, contract.ReaderResult)
    assert result.supports == [contract.Support(passage=1, start=0, end=4)]
    assert result.usage == contract.TokenUsage(prompt_tokens=12, completion_tokens=3)
