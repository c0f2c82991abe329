"""An answer is taken for the JSON that it has, whatever stands around it."""

from __future__ import annotations

import json

import pytest

from sostenuto.activities.answer.lenient_json import json_object

CITY = {"city": "Oslo", "people": [1, 2]}
WRITTEN = json.dumps(CITY)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{WRITTEN}\n```",
        f"```\n{WRITTEN}\n```",
        f"Here it is:\n\n```json\n{WRITTEN}\n```\nIs there anything else?",
        f"The answer is {WRITTEN}.",
        f"{WRITTEN}\n\nI hope that helps {{really}}"[: len(WRITTEN) + 10],
        '{"city": "Oslo", "people": [1, 2,],}',
        '```json\n{\n  "city": "Oslo",\n  "people": [1, 2],\n}\n```',
        f'First I thought of\n{{"city": "Bergen"}}\nand then of\n{WRITTEN}',
        f"```json\n{{}}\n```\nno,\n```json\n{WRITTEN}\n```",
    ],
)
def test_the_object_is_found(text: str) -> None:
    found = json_object(text)
    assert found is not None
    assert json.loads(found) == CITY


@pytest.mark.parametrize("text", [WRITTEN, "", "Oslo", "[1, 2]", "{city: Oslo}", "{" * 5_000, "```json\nOslo\n```"])
def test_nothing_is_changed_where_there_is_none_or_nothing_else(text: str) -> None:
    assert json_object(text) is None


def test_commas_within_texts_stay() -> None:
    text = r'Well: {"said": "a,} \" b,]", "n": [1,],}'
    found = json_object(text)
    assert found is not None
    assert json.loads(found) == {"said": 'a,} " b,]', "n": [1]}


@pytest.mark.parametrize("text", ["```json" + "\n" * 300_000, "```json\n" * 40_000, "{" * 200_000 + "}"])
def test_what_never_ends_is_given_up_soon(text: str) -> None:
    """Were it looked at again from every place, this would take hours."""
    assert json_object(text) is None
