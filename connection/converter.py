"""The data converter that client, worker and replayer share.

Each must read what the others wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import DataConverter, ExternalStorage

from ..contracts.errors import SpecError
from ..contracts.limits import OFFLOADED_BYTES, reads_back
from .payload_store import DirectoryStore


class ReadableConverter(PydanticPayloadConverter):
    """Pydantic JSON that writes nothing which no reader takes: not too many levels."""

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Encode values.

        Raises:
            SpecError: One is nested so deeply that no reader would take it.
        """
        payloads = super().to_payloads(values)
        for value, payload in zip(values, payloads, strict=True):
            if not reads_back(payload.data):
                raise SpecError(f"a {type(value).__name__} is nested so deeply that it could not be read again")
        return payloads


_CONVERTER = replace(pydantic_data_converter, payload_converter_class=ReadableConverter)


def data_converter(payload_dir: Path | None = None) -> DataConverter:
    """Return the converter: pydantic JSON, large payloads in `payload_dir` if given."""
    if payload_dir is None:
        return _CONVERTER
    storage = ExternalStorage(drivers=[DirectoryStore(payload_dir)], payload_size_threshold=OFFLOADED_BYTES)
    return replace(_CONVERTER, external_storage=storage)
