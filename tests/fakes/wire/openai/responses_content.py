"""What OpenAI's Responses endpoint refuses in pictures, files and the form of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.fakes.wire.openai.models import family_in, is_fine_tuned
from tests.fakes.wire.openai.responses_items import items_of, parts_with_places
from tests.fakes.wire.openai.schema import schema_faults
from tests.fakes.wire.openai.words import IMAGES, MEASURED_RESPONSES, TEXT_CHARS, missing, no_name, too_long
from tests.fakes.wire.rule import Complaint, Json, RuleBook

RESPONSE_CONTENT = RuleBook("content of a Responses request")

_WANTED = (
    "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"
)
_NO_FILES = ("audio/", "video/", "application/zip", "application/octet-stream")


@RESPONSE_CONTENT.rule("https://github.com/openai/openai-openapi/blob/main/openapi.json")
def text_part_is_too_long(body: Json) -> Iterator[Complaint]:
    """Texts beyond ten million characters."""
    yield from too_long("input", body.get("input"), TEXT_CHARS)
    for index, item in items_of(body):
        yield from too_long(f"input[{index}].content", item.get("content"), TEXT_CHARS)
        yield from too_long(f"input[{index}].output", item.get("output"), TEXT_CHARS)
        for path, part in parts_with_places(item):
            yield from too_long(f"input[{index}].{path}.text", part.get("text"), TEXT_CHARS)


@RESPONSE_CONTENT.rule("https://github.com/mkht/PSOpenAI/issues/43")
def image_is_not_one(body: Json) -> Iterator[Complaint]:
    """Pictures by something that is no address, and data URLs that are no picture."""
    for index, item in items_of(body):
        for path, part in parts_with_places(item):
            url, where = part.get("image_url"), f"input[{index}].{path}.image_url"
            if part.get("type") != "input_image" or not isinstance(url, str):
                continue
            media, _, data = url.removeprefix("data:").partition(";base64,")
            if not url.startswith(("data:", "http://", "https://")):
                words = "Expected a valid URL, but got a value with an invalid format."
                yield Complaint(f"Invalid '{where}'. {words}", where, "invalid_value")
            elif url.startswith("data:") and media not in IMAGES:
                words = f"{_WANTED}, but got unsupported MIME type '{media}'."
                yield Complaint(f"Invalid '{where}'. {words}", where, "invalid_value")
            elif url.startswith("data:") and not data:
                words = f"{_WANTED}, but got empty base64-encoded bytes."
                yield Complaint(f"Invalid '{where}'. {words}", where, "invalid_value")


@RESPONSE_CONTENT.rule("https://github.com/pydantic/pydantic-ai/tree/main/tests/models/cassettes")
def file_is_not_one(body: Json) -> Iterator[Complaint]:
    """Files that are no data URL, or of a type that is not taken."""
    for index, item in items_of(body):
        for path, part in parts_with_places(item):
            data = part.get("file_data")
            if part.get("type") != "input_file" or data is None:
                continue
            where = f"input[{index}].{path}.file_data"
            media = data.removeprefix("data:").partition(";base64,")[0]
            if not data.startswith("data:"):
                yield Complaint(f"Invalid '{where}'.", where, "invalid_value")
            elif media.startswith(_NO_FILES):
                wanted = "Expected a base64-encoded data URL with a valid file MIME type"
                example = "(e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ==')"
                words = f"{wanted} {example}, but got unsupported MIME type '{media}'."
                yield Complaint(f"Invalid file data: '{where}'. {words}", where, "invalid_value")


@RESPONSE_CONTENT.rule(MEASURED_RESPONSES)
def answer_format_is_none(body: Json) -> Iterator[Complaint]:
    """A format of the answer without a name, or with one that does not match."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") != "json_schema":
        return
    if not form.get("name"):
        yield missing("text.format.name")
    else:
        yield from no_name("text.format.name", form["name"], 64)


@RESPONSE_CONTENT.rule("https://github.com/bingoYB/ham_home/issues/16")
def answer_schema_is_refused(body: Json) -> Iterator[Complaint]:
    """A schema of the answer that is refused."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") != "json_schema":
        return
    fine_tuned = is_fine_tuned(str(body.get("model", "")))
    for fault in schema_faults(form.get("schema"), strict=form.get("strict") is True, fine_tuned=fine_tuned):
        words = f"Invalid schema for response_format '{form.get('name')}': {fault}"
        yield Complaint(words, "text.format.schema", "invalid_json_schema")


@RESPONSE_CONTENT.rule("https://platform.openai.com/docs/guides/structured-outputs", quoted=False)
def answer_schema_of_old_models(body: Json) -> Iterator[Complaint]:
    """A schema of the answer for models that enforce none."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema" and not family_in(body).strict:
        words = "Invalid parameter: 'text.format' of type 'json_schema' is not supported with this model."
        yield Complaint(words, "text.format")


@RESPONSE_CONTENT.rule("https://platform.openai.com/docs/guides/structured-outputs#json-mode")
def json_mode_without_the_word(body: Json) -> Iterator[Complaint]:
    """JSON mode without the word in the input."""
    if ((body.get("text") or {}).get("format") or {}).get("type") != "json_object":
        return
    if "json" not in json.dumps(body.get("input")).lower():
        words = "Response input messages must contain the word 'json' in some form to use 'text.format' of type"
        yield Complaint(f"{words} 'json_object'.", "input")
