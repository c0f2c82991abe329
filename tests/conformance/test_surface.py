"""The adapters are one another's mirror images: same public methods, same private names, in the same order."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import get_type_hints

import pytest

from sostenuto.activities import adapters
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.workers.providers import LazyAdapter

MIRRORED = ["_to_request", "_from_response", "_map_stop_reason", "_map_usage"]


def _classes() -> list[type]:
    """Every class that is named an adapter, whoever adds one."""
    found: list[type] = [LazyAdapter]
    for info in pkgutil.walk_packages(adapters.__path__, f"{adapters.__name__}."):
        module = importlib.import_module(info.name)
        found += [
            thing
            for name, thing in vars(module).items()
            if inspect.isclass(thing) and name.endswith("Adapter") and thing.__module__ == module.__name__
        ]
    return found


def _public(thing: type) -> set[str]:
    return {name for name in vars(thing) if not name.startswith("_") and callable(getattr(thing, name))}


def _functions(module: ModuleType) -> list[str]:
    return [name for name, thing in vars(module).items() if inspect.isfunction(thing) and name in MIRRORED]


def test_the_adapters_that_there_are() -> None:
    names = {thing.__name__ for thing in _classes()}
    assert names >= {"AnthropicAdapter", "OpenAIAdapter", "CompatibleAdapter", "ScriptedAdapter", "LazyAdapter"}


@pytest.mark.parametrize("thing", _classes(), ids=lambda thing: thing.__name__)
def test_an_adapter_has_exactly_the_public_methods_of_the_protocol(thing: type) -> None:
    assert _public(thing) == _public(ModelAdapter) == {"complete", "close"}
    for name in _public(ModelAdapter):
        ours, theirs = getattr(thing, name), getattr(ModelAdapter, name)
        assert inspect.iscoroutinefunction(ours)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
        assert get_type_hints(ours) == get_type_hints(theirs)


@pytest.mark.parametrize("name", ["anthropic", "openai", "compatible"])
def test_a_providers_file_has_the_same_names_in_the_same_order(name: str) -> None:
    module = importlib.import_module(f"{adapters.__name__}.providers.{name}")
    assert _functions(module) == MIRRORED
