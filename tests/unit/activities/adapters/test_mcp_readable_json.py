"""A message is read although one value in it cannot be."""

from __future__ import annotations

import pytest
from pydantic_core import from_json

from sostenuto.activities.adapters.mcp.readable_json import readable_json


@pytest.mark.parametrize(
    "written",
    [
        b'{"a":"\xc3\xa4 \\ud83c\\udfb9 \\\\ud800 \\"","b":[1e400,NaN]}',
        b'{"a":[' + b"[]," * 500 + b"[]]}",
        b"[" * 150 + b"]" * 150,
        b"not JSON",
        b"",
    ],
    ids=["text", "wide", "deep", "no JSON", "nothing"],
)
def test_what_can_be_read_stays(written: bytes) -> None:
    assert readable_json(written) is written


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'{"a":"x\ud83dy","b":"\ud83c\udfb9"}', {"a": "x\ufffdy", "b": "🎹"}),
        (rb'{"\udc00":"\\\ud800\\"}', {"\ufffd": "\\\ufffd\\"}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b'{"a":-' + b"9" * 5000 + b',"b":"' + b"9" * 5000 + b'"}', {"a": None, "b": "9" * 5000}),
    ],
    ids=["half a pair", "name", "bytes", "number"],
)
def test_what_cannot_has_a_substitute(written: bytes, read: object) -> None:
    assert from_json(readable_json(written)) == read


@pytest.mark.parametrize("levels", [151, 300, 100_000])
def test_what_is_nested_too_deeply_has_one_too(levels: int) -> None:
    found = from_json(readable_json(b'[{"a":' + b'{"]":[' * levels + b'"]["' + b"]}" * levels + b',"b":"]"},"c"]'))
    assert found[1] == "c"
    assert found[0]["b"] == "]"
    inner = found[0]["a"]
    for _ in range(74):
        ((inner,),) = inner.values()
    assert inner == "(nested too deeply to be read)"


def test_what_is_no_json_either_way_stays_unreadable() -> None:
    with pytest.raises(ValueError, match="at line 1"):
        from_json(readable_json(b"\xff{" + b"[" * 300))
