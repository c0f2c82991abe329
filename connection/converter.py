"""The data converter that client, worker and replayer share.

Each must read what the others wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriverStoreContext,
)
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.contract import problem_text
from ..contracts.errors import SpecError
from ..contracts.limits import NEVER_BYTES, OFFLOADED_BYTES, reads_back, unwritable
from .content_files import ContentFiles
from .payload_store import MISSING, DirectoryStore, TolerantStore


class ReadableConverter(PydanticPayloadConverter):
    """Pydantic JSON that writes nothing which no reader takes: not too many levels."""

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Encode values.

        Raises:
            SpecError: One is nested so deeply that no reader would take it, or is not Unicode.
        """
        try:
            payloads = super().to_payloads(values)
        except PydanticSerializationError as error:
            # What cannot be written at all is a mistake in code; this is one of data, which no new code mends.
            if "depth" not in str(error):
                raise unwritable(error) from None
            raise SpecError("a value is nested so deeply that it cannot be written") from None
        for value, payload in zip(values, payloads, strict=True):
            if payload.metadata.get("encoding") == _JSON and not reads_back(payload.data):
                raise SpecError(f"a {type(value).__name__} is nested so deeply that it could not be read again")
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decode values.

        Raises:
            ValueError: One is not of its type; says the first few problems, for a text of megabytes could not be sent.
            ApplicationError: One is kept outside the history and cannot be read; ends a workflow, with the reason.
        """
        for payload in payloads:
            if payload.metadata.get("encoding") == MISSING:
                raise ApplicationError(payload.data.decode(), type=names.PAYLOAD_MISSING)
        try:
            return super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            if error.error_count() <= _TOLD_PROBLEMS:
                raise
            told = [problem_text(problem) for problem in error.errors(include_url=False)[:_TOLD_PROBLEMS]]
            more = error.error_count() - _TOLD_PROBLEMS
            raise ValueError(f"{error.title}: {'; '.join(told)}; and {more:,} more problems") from None


_TOLD_PROBLEMS = 5
_JSON = b"json/plain"


class _Contextless(DataConverter):
    """A converter whose store does not ask for whom it keeps a payload.

    The SDK copies any other one for every payload, which takes a twentieth of a worker's processor time. Were it to
    call this no more, it would do just that.
    """

    def _with_store_context(self, store_ctx: StorageDriverStoreContext) -> DataConverter:  # noqa: ARG002
        return self


_CONVERTER = _Contextless(payload_converter_class=ReadableConverter)


def data_converter(payload_dir: Path | None = None) -> DataConverter:
    """Return the converter: pydantic JSON, large payloads in `payload_dir` if given."""
    if payload_dir is None:
        return _CONVERTER
    storage = ExternalStorage(drivers=[DirectoryStore(payload_dir)], payload_size_threshold=OFFLOADED_BYTES)
    return replace(_CONVERTER, external_storage=storage)


def uploads_of(client: Client) -> ContentFiles | None:
    """Return where a client's documents are kept for workers to read.

    None where large payloads are kept nowhere that clients and workers share.
    """
    outside = client.data_converter.external_storage
    drivers = outside.drivers if outside else ()
    found = next((driver for driver in drivers if isinstance(driver, DirectoryStore)), None)
    return ContentFiles(found.directory / "uploads") if found else None


def tolerant(client: Client) -> Client:
    """Return a client by which a worker hears of a missing payload where it is used.

    Otherwise the workflow task would be tried for ever, and the run would never hear of it.
    """
    converter = client.data_converter
    outside = converter.external_storage
    if outside is not None and outside.driver_selector is not None:
        return client  # somebody's own storage, whose drivers are theirs to choose
    if outside is None:
        storage = ExternalStorage(drivers=[TolerantStore(None)], payload_size_threshold=NEVER_BYTES)
        if type(converter) is DataConverter:
            converter = _Contextless(
                **{field.name: getattr(converter, field.name) for field in fields(converter) if field.init}
            )
    else:
        storage = replace(outside, drivers=[TolerantStore(driver) for driver in outside.drivers])
    config = client.config()
    config["data_converter"] = replace(converter, external_storage=storage)
    return Client(**config)
