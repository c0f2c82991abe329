"""Whatever the schema, it is fitted soon, in a form that is taken, and values come back as the original wants them.

`make test` takes some seeds; more: `SCHEMA_SEEDS=5000 python -m pytest tests/unit/activities/adapters/schema`.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.restoring import FittedSchema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from tests.unit.activities.adapters.schema.random_schemas import JsonSchema, RandomSchemas
from tests.unit.activities.adapters.schema.random_values import NoValueError, RandomValues
from tests.unit.activities.adapters.schema.rule_books import faults

SEEDS = range(int(os.environ.get("SCHEMA_SEEDS", "200")))
SOON_SECONDS = 2.0
STRICT = [name for name, rules in RULES.items() if rules.strict]
OPEN = [name for name, rules in RULES.items() if not rules.strict]

_SENT = """
import json, random
from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.rules import RULES
from tests.unit.activities.adapters.schema.random_schemas import RandomSchemas
open_ones = [rules for rules in RULES.values() if not rules.strict]
schemas = [RandomSchemas(random.Random(seed)).wild() for seed in range(60)]
print(json.dumps([fit_schema(schema, rules).schema for schema in schemas for rules in open_ones]))
"""

pytestmark = pytest.mark.timeout(300 if len(SEEDS) < 1_000 else 7_200)


def _fitted(schema: JsonSchema, rules: str) -> FittedSchema | None:
    """The fitted schema; None where strict rules cannot say it."""
    before = copy.deepcopy(schema)
    began = time.process_time()
    try:
        fitted = fit_schema(schema, RULES[rules])
    except InexpressibleError:
        assert RULES[rules].strict
        fitted = None
    assert time.process_time() - began < SOON_SECONDS
    assert schema == before
    return fitted


def _values(chance: random.Random, schema: JsonSchema, count: int = 6) -> Iterator[Any]:
    """Values that the schema takes."""
    validator = validator_for(schema, default=Draft202012Validator)(schema)
    values = RandomValues(chance, schema)
    for _ in range(count):
        try:
            value = values.make()
        except NoValueError:
            continue
        if validator.is_valid(value):
            yield value


def _read_kindly(schema: Any) -> Any:
    """The schema as models read it: `oneOf` as `anyOf`, and `nullable` of a dialect in the words of the standard."""
    if isinstance(schema, list):
        return [_read_kindly(sub) for sub in schema]
    if not isinstance(schema, dict):
        return schema
    read = {("anyOf" if key == "oneOf" else key): _read_kindly(sub) for key, sub in schema.items()}
    if read.pop("nullable", None) is True:
        return {"anyOf": [read, {"type": "null"}]}
    return read


@pytest.mark.parametrize("rules", RULES)
def test_whatever_the_schema_it_is_fitted_soon_and_taken(rules: str) -> None:
    for seed in SEEDS:
        chance = random.Random(f"wild {seed}")
        makes = RandomSchemas(chance)
        fitted = _fitted(makes.wild() if seed % 3 else makes.sound(), rules)
        if fitted:
            json.dumps(fitted.schema, allow_nan=False)
            assert faults(rules, fitted.schema) == [], f"seed {seed}: {fitted.schema}"


@pytest.mark.parametrize("rules", STRICT)
def test_what_fits_a_strict_schema_fits_the_original(rules: str) -> None:
    tried = 0
    for seed in SEEDS:
        chance = random.Random(f"strict {seed}")
        schema = RandomSchemas(chance, RULES[rules].keywords, closed=seed % 4 > 0).sound()
        fitted = _fitted(schema, rules)
        # Two patterns of one text, say, are no longer both held to.
        if fitted is None or re.search(r"\b(pattern|format|multipleOf|not): ", json.dumps(fitted.schema)):
            continue
        original = validator_for(schema)(schema)
        for value in _values(chance, fitted.schema):
            tried += 1
            restored = fitted.restored(value)
            assert original.is_valid(restored), f"seed {seed}: {json.dumps([schema, fitted.schema, value, restored])}"
    assert tried > len(SEEDS) // 10


@pytest.mark.parametrize("rules", RULES)
def test_values_go_there_and_come_back_as_they_were(rules: str) -> None:
    tried = 0
    for seed in SEEDS:
        chance = random.Random(f"back {seed}")
        schema = RandomSchemas(chance).sound()
        fitted = _fitted(schema, rules)
        for value in _values(chance, schema) if fitted else ():
            assert fitted is not None
            tried += 1
            renamed = fitted.renamed(value)
            assert fitted.restored(renamed) == value, (
                f"seed {seed}: {json.dumps([schema, fitted.schema, value, renamed])}"
            )
    assert tried > len(SEEDS) // 10


@pytest.mark.parametrize("rules", OPEN)
def test_what_fits_the_original_may_be_written(rules: str) -> None:
    tried = 0
    for seed in SEEDS:
        chance = random.Random(f"open {seed}")
        schema = RandomSchemas(chance).sound()
        fitted = _fitted(schema, rules)
        assert fitted is not None
        sent = json.dumps(fitted.schema)
        # One object for several says what each is like, not what none of them may be. And what is JSON as text in one
        # case is written so in the others.
        if schema.keys() & {"anyOf", "oneOf"} or not fitted.schema or ("anyOf" in sent and "in JSON, as text" in sent):
            continue
        takes = Draft202012Validator(_read_kindly(fitted.schema))
        for value in _values(chance, schema):
            tried += 1
            renamed = fitted.renamed(value)
            assert takes.is_valid(renamed), f"seed {seed}: {json.dumps([schema, fitted.schema, value, renamed])}"
    assert tried > len(SEEDS) // 2


def test_every_process_sends_the_same_to_the_letter() -> None:
    """A provider remembers the beginning of a prompt by its letters, and has the tools in it."""
    sent = {
        subprocess.run(
            [sys.executable, "-c", _SENT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=Path(__file__).parents[5],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sent) == 1
