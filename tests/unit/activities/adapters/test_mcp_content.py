"""What tools of MCP servers return, in our vocabulary: whole, once, and never fatal to the model call."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
)

from sostenuto.activities.adapters.mcp.content import error_text, output_of


def result(*blocks: ContentBlock, structured: Any = None) -> CallToolResult:
    return CallToolResult(content=list(blocks), structured_content=structured)


def blob(media_type: str | None, data: bytes) -> EmbeddedResource:
    encoded = base64.b64encode(data).decode()
    return EmbeddedResource(
        resource=BlobResourceContents(uri="file:///dir/name.bin", blob=encoded, mime_type=media_type)
    )


@pytest.mark.parametrize(
    ("texts", "structured"),
    [
        (['{"a": 1}'], {"a": 1}),
        (['{\n  "a": 1\n}'], {"a": 1}),
        (["plain"], {"result": "plain"}),
        (["7"], {"result": 7}),
        (['{"a": 1}', '{"a": 2}'], {"result": [{"a": 1}, {"a": 2}]}),
        (["x", "y"], {"result": ["x", "y"]}),
        (["all of it"], {"content": "all of it"}),
    ],
)
def test_what_the_text_says_already_is_not_repeated(texts: list[str], structured: Any) -> None:
    output = output_of(result(*(TextContent(text=text) for text in texts), structured=structured))
    assert output.content == "\n".join(texts)


def test_structured_content_that_the_text_leaves_out_is_added() -> None:
    output = output_of(result(TextContent(text="done"), structured={"id": 7, "ü": None}))
    assert output.content.splitlines()[0] == "done"
    assert json.loads(output.content.splitlines()[1]) == {"id": 7, "ü": None}
    assert output_of(result(structured={"id": 7})).content == '{"id": 7}'


def test_only_what_every_provider_takes_is_attached() -> None:
    output = output_of(
        result(
            ImageContent(data="AAAA", mime_type="image/webp"),
            ImageContent(data="AAAA", mime_type="image/tiff"),
            AudioContent(data="AAAA", mime_type="audio/wav"),
            blob("application/pdf", b"%PDF"),
            blob(None, b"\x00\xff"),
        )
    )
    assert [part.media_type for part in output.attachments] == ["image/webp", "application/pdf"]
    assert "an image of type image/tiff, 3 bytes" in output.content
    assert "a recording of type audio/wav" in output.content
    assert "a file of type application/octet-stream" in output.content


def test_text_in_a_blob_is_text() -> None:
    assert output_of(result(blob("text/csv", "ä,b".encode()))).content == "file:///dir/name.bin:\nä,b"
    assert "a file of type text/csv" in output_of(result(blob("text/csv", b"\xff\xfe"))).content


def test_a_link_says_where_and_what() -> None:
    link = ResourceLink(name="n", title="Title", uri="https://x.test/a", description="about", mime_type="text/html")
    assert output_of(result(link)).content == "[Title](https://x.test/a) (text/html, about)"


def test_errors_speak() -> None:
    assert error_text(result(TextContent(text="no such file"))) == "no such file"
    assert "did not say why" in error_text(result())
    assert "(left out: 1 attachment)" in error_text(result(ImageContent(data="AAAA", mime_type="image/png")))
