"""Contracts on the wire: each comes back as it was, and what older and newer versions write is understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload

from sostenuto import Message, __version__
from sostenuto.connection.converter import data_converter
from sostenuto.contracts.contract import Contract
from tests.unit.contracts.examples import BY_NAME, EXAMPLES, KINDS, contracts, defaults
from tests.unit.contracts.record_payloads import PAYLOADS

CONVERTER = data_converter().payload_converter
FILES = sorted(PAYLOADS.glob("v*/*.json"))
FREE_FORM = {
    "answer",
    "arguments",
    "context",
    "data",
    "json_schema",
    "known",
    "metadata",
    "options",
    "output",
    "filled",
    "given",
    "parameters",
    "places",
    "sealed",
    "told",
    "windows",
}
FREE_FORM |= {"fields", "filled", "filters", "loaders", "prices", "sent", "texts"}
# Optional each by itself, but not one without the other.
TOGETHER = {
    "ImagePart": {"data", "url"},
    "FilePart": {"data", "url"},
    "Chain": {"inputs"},
    "Retrieve": {"rewrite", "model"},
    "Router": {"strategy", "model", "default"},
    "Parallel": {"branches", "each", "join"},
    "Team": {"style", "model", "judge"},
    "Approval": {"expires", "escalate_to"},
    "Rules": {"deny"},
    "LedgerSet": {"usd", "tokens", "turns"},
}

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=list(BY_NAME))
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
every_payload = pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}-{path.stem}" for path in FILES])


def _encoded(value: Contract) -> Payload:
    return CONVERTER.to_payload(value)


def _decoded(data: Any, kind: type[Contract]) -> Contract:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(data).encode())
    return CONVERTER.from_payload(payload, kind)


def _together(example: Contract) -> set[str]:
    return TOGETHER.get(type(example).__name__, set())


def _kind(path: Path) -> type[Contract]:
    return KINDS[path.stem.partition("-")[0]]


def test_every_contract_has_an_example() -> None:
    assert {kind.__name__ for kind in contracts()} == set(KINDS), "add it to tests/unit/contracts/examples.py"


@every_kind
def test_each_field_has_another_value_than_its_default_in_some_example(kind: type[Contract]) -> None:
    examples = [example for example in EXAMPLES if type(example) is kind]
    optional = {name: field.get_default() for name, field in kind.model_fields.items() if not field.is_required()}
    unseen = {name for name, value in optional.items() if all(getattr(one, name) == value for one in examples)}
    assert unseen <= {"kind", "type"}


@every_example
def test_comes_back_as_it_was(example: Contract) -> None:
    assert CONVERTER.from_payload(_encoded(example), type(example)) == example


@every_example
def test_is_frozen(example: Contract) -> None:
    name = next(iter(type(example).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(example, name, getattr(example, name))


@every_example
def test_ignores_what_a_newer_version_adds(example: Contract) -> None:
    def extended(value: Any) -> Any:
        if isinstance(value, dict):
            inner = {key: item if key in FREE_FORM else extended(item) for key, item in value.items()}
            if isinstance(value.get("steps"), dict):
                inner["steps"] = {name: extended(step) for name, step in value["steps"].items()}
            return {**inner, "from_the_future": {"a": [1]}}
        return [extended(item) for item in value] if isinstance(value, list) else value

    assert _decoded(extended(json.loads(_encoded(example).data)), type(example)) == example


@every_example
def test_what_an_older_version_does_not_write_has_its_default(example: Contract) -> None:
    written = json.loads(_encoded(example).data)
    for name, field in type(example).model_fields.items():
        if field.is_required() or name in _together(example) or name not in written:
            continue
        without = {key: value for key, value in written.items() if key != name}
        assert getattr(_decoded(without, type(example)), name) == field.get_default()


@every_example
def test_defaults_are_not_written(example: Contract) -> None:
    fields = type(example).model_fields
    required = {name for name, field in fields.items() if field.is_required()}
    needed = {name for name in _together(example) if getattr(example, name) != fields[name].get_default()}
    smallest = type(example).model_validate({name: getattr(example, name) for name in required | needed})
    assert set(json.loads(_encoded(smallest).data)) == required | needed | ({"kind", "type"} & fields.keys())


@every_payload
def test_reads_what_older_versions_wrote(path: Path) -> None:
    """Read and written again it is the same, so nothing was lost, and no default means something else now."""
    recorded = json.loads(path.read_text())
    assert json.loads(_encoded(_decoded(recorded["example"], _kind(path))).data) == recorded["example"]


@every_payload
def test_no_default_changes(path: Path) -> None:
    """Defaults are not written, so a new default would change what every older history says."""
    recorded = json.loads(path.read_text())["defaults"]
    now = defaults(_kind(path))
    assert {name: now[name] for name in recorded} == recorded


def test_this_version_is_recorded() -> None:
    recorded = {path.stem for path in FILES if path.parent.name == f"v{__version__}"}
    assert recorded == set(BY_NAME), "python -m tests.unit.contracts.record_payloads"


@pytest.mark.parametrize(
    "part", [{"kind": "hologram"}, {"text": "no kind"}, {"kind": "image", "media_type": "image/png"}]
)
def test_an_unknown_part_is_an_error(part: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _decoded({"role": "user", "parts": [part]}, Message)
