"""Chat streams as servers send them."""

import pytest
from grounding.chat_stream import Chunk, StreamBroken, error_message, parse_line


@pytest.mark.parametrize("line", ["", ": keep-alive", "data: [DONE]", "event: message", "id: 7"])
def test_lines_without_a_chunk(line: str):
    assert parse_line(line) is None


@pytest.mark.parametrize(
    ("line", "chunk"),
    [
        ('data: {"choices":[{"delta":{"role":"assistant","content":null}}]}', Chunk()),
        ('data:{"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}', Chunk("Hi")),
        ('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}', Chunk("", "stop")),
        ('data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}', Chunk("", None, 7, 2)),
    ],
)
def test_chunks_of_several_servers(line: str, chunk: Chunk):
    assert parse_line(line) == chunk


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('data: {"error":{"message":"out of memory"}}', "out of memory"),
        ('error: {"message":"slot gone"}', "slot gone"),
        ("data: <html>", "no chat stream"),
        ("data: [1, 2]", "no chat stream"),
        ('data: {"choices":[7]}', "no chat stream"),
    ],
)
def test_what_is_no_chunk_is_named(line: str, reason: str):
    with pytest.raises(StreamBroken, match=reason):
        parse_line(line)


@pytest.mark.parametrize(
    "body",
    [
        '{"error":{"message":"no such model"}}',
        '{"error":"no such model"}',
        '{"detail":"no such model"}',
        "no such model",
    ],
)
def test_errors_in_the_shapes_of_several_servers(body: str):
    assert error_message(body) == "no such model"
