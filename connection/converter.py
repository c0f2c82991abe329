"""The data converter that client, worker and replayer share.

Each must read what the others wrote.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, ExternalStorage

from ..contracts.limits import OFFLOADED_BYTES
from .payload_store import DirectoryStore


def data_converter(payload_dir: Path | None = None) -> DataConverter:
    """Return the converter: pydantic JSON, large payloads in `payload_dir` if given."""
    if payload_dir is None:
        return pydantic_data_converter
    storage = ExternalStorage(drivers=[DirectoryStore(payload_dir)], payload_size_threshold=OFFLOADED_BYTES)
    return replace(pydantic_data_converter, external_storage=storage)
