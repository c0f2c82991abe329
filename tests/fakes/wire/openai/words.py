"""Sentences that OpenAI's endpoints say of more than one field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.wire.rule import Complaint, Json

_PARITY = "https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter/blob/main/test"
MEASURED_RESPONSES = f"{_PARITY}/openai-responses-validation-parity.test.mjs"
"""What the live Responses endpoint answered to each of many bodies."""
MEASURED_CHAT = f"{_PARITY}/openai-chat-validation-parity.test.mjs"
"""The same of Chat Completions."""
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
TEXT_CHARS = 10_485_760

Bounds = Mapping[str, tuple[str, float | None, float | None]]
_NAME = re.compile(r"^[a-zA-Z0-9_-]+\Z")


def missing(path: str) -> Complaint:
    """Return what is said of a parameter that is not there."""
    return Complaint(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def unknown(path: str, hint: str = "") -> Complaint:
    """Return what is said of a parameter that does not exist."""
    return Complaint(f"Unknown parameter: '{path}'.{hint}", path, "unknown_parameter")


def unsupported(path: str) -> Complaint:
    """Return what is said of a parameter that the model does not take."""
    words = f"Unsupported parameter: '{path}' is not supported with this model."
    return Complaint(words, path, "unsupported_parameter")


def empty_array(path: str) -> Complaint:
    """Return what is said of a list without items."""
    words = "empty array. Expected an array with minimum length 1, but got an empty array instead."
    return Complaint(f"Invalid '{path}': {words}", path, "empty_array")


def too_many(path: str, count: int, most: int) -> Iterator[Complaint]:
    """Find a list with too many items."""
    if count > most:
        words = f"Expected an array with maximum length {most}, but got an array with length {count} instead."
        yield Complaint(f"Invalid '{path}': array too long. {words}", path, "array_above_max_length")


def too_long(path: str, text: Any, most: int) -> Iterator[Complaint]:
    """Find a text with too many characters."""
    if isinstance(text, str) and len(text) > most:
        words = f"Expected a string with maximum length {most}, but got a string with length {len(text)} instead."
        yield Complaint(f"Invalid '{path}': string too long. {words}", path, "string_above_max_length")


def no_name(path: str, name: str, most: int) -> Iterator[Complaint]:
    """Find a name with other characters than letters, digits, '_' and '-', or with too many."""
    if not _NAME.match(name):
        words = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        yield Complaint(f"Invalid '{path}': {words}", path, "invalid_value")
    yield from too_long(path, name, most)


def out_of_bounds(body: Json, bounds: Bounds) -> Iterator[Complaint]:
    """Find numbers that are too small or too large."""
    for key, (kind, least, most) in bounds.items():
        given = body.get(key)
        if given is None:
            continue
        if least is not None and given < least:
            words = f"{kind} below minimum value. Expected a value >= {least:g}, but got {given} instead."
            yield Complaint(f"Invalid '{key}': {words}", key, f"{kind}_below_min_value")
        if most is not None and given > most:
            words = f"{kind} above maximum value. Expected a value <= {most:g}, but got {given} instead."
            yield Complaint(f"Invalid '{key}': {words}", key, f"{kind}_above_max_value")


def metadata_faults(metadata: Mapping[str, Any]) -> Iterator[Complaint]:
    """Find what is too much in metadata."""
    if len(metadata) > 16:
        words = "Expected an object with at most 16 properties, but got an object with"
        told = f"too many properties. {words} {len(metadata)} properties instead."
        yield Complaint(f"Invalid 'metadata': {told}", "metadata", "object_above_max_properties")
    for key, value in metadata.items():
        if len(key) > 64:
            words = f"Expected a string with maximum length 64, but got a string with length {len(key)} instead."
            told = f"Invalid property name in 'metadata': '{key[:3]}...{key[-3:]}' is too long. {words}"
            yield Complaint(told, "metadata", "property_name_above_max_length")
        yield from too_long(f"metadata.{key}", value, 512)
