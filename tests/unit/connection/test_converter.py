"""Nothing is written that no reader takes, and what cannot be written says why."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import PydanticSerializationError

from sostenuto.connection.converter import data_converter
from sostenuto.contracts.errors import SpecError


def _nested(levels: int) -> Any:
    value: Any = "leaf"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [230, 254, 300, 2_000])
def test_what_is_too_deep_is_refused_with_its_reason(levels: int) -> None:
    with pytest.raises(SpecError, match="nested so deeply"):
        data_converter().payload_converter.to_payloads([_nested(levels)])


def test_what_can_be_read_back_is_written() -> None:
    value = _nested(150)
    payloads = data_converter().payload_converter.to_payloads([value])
    assert data_converter().payload_converter.from_payloads(payloads) == [value]


def test_what_is_no_data_is_a_mistake_in_code() -> None:
    with pytest.raises(PydanticSerializationError, match="unknown type"):
        data_converter().payload_converter.to_payloads([object()])
