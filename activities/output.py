"""Checks a model's answer against the type that an agent wants."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..contracts.agent import Agent
from ..contracts.model import OutputSchema


class OutputValidator:
    """Knows the output types of the agents that this worker serves.

    An agent that the worker does not know, or knows with another schema, is held to its JSON schema alone:
    validators written in Python cannot travel with a run.
    """

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self._types: dict[tuple[str, str], TypeAdapter[Any]] = {
            (agent.name, agent.output.model_dump_json()): agent.output_type
            for agent in agents
            if agent.output and agent.output_type
        }

    def problems(self, agent: str, output: OutputSchema, text: str) -> tuple[str, ...]:
        """What is wrong with the answer of an agent, a sentence each; empty where it fits."""
        adapter = self._types.get((agent, output.model_dump_json()))
        if adapter is None:
            return _schema_problems(output, text)
        try:
            adapter.validate_json(text)
        except ValidationError as error:
            return tuple(f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors())
        except Exception as error:  # noqa: BLE001 - a faulty validator would have the answer paid for again and again
            return (f"answer: its check ended by {type(error).__name__}: {error}",)
        return ()


def _schema_problems(output: OutputSchema, text: str) -> tuple[str, ...]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - workflows import this module's siblings

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return (f"answer: it is not JSON ({error})",)
    errors = Draft202012Validator(output.json_schema).iter_errors(value)
    return tuple(f"{e.json_path.removeprefix('$.')}: {e.message}" for e in errors)
