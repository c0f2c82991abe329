"""The adapters are one another's mirror images: same public methods, same private names, in the same order."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import get_type_hints

import pytest

from sostenuto.activities import adapters
from sostenuto.activities.model_adapter import KnowsWindow, ModelAdapter, Moderates
from sostenuto.workers.providers import LazyAdapter

FOLDERS = ["anthropic", "openai", "compatible"]


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


def test_the_adapters_that_there_are() -> None:
    names = {thing.__name__ for thing in _classes()}
    assert names >= {"AnthropicAdapter", "OpenAIAdapter", "CompatibleAdapter", "ScriptedAdapter", "LazyAdapter"}


@pytest.mark.parametrize("thing", _classes(), ids=lambda thing: thing.__name__)
def test_an_adapter_has_exactly_the_public_methods_of_the_protocol(thing: type) -> None:
    assert _public(ModelAdapter) == {"complete", "close"}
    assert _public(thing) - _public(KnowsWindow) - _public(Moderates) == _public(ModelAdapter)
    for name in _public(ModelAdapter):
        ours, theirs = getattr(thing, name), getattr(ModelAdapter, name)
        assert inspect.iscoroutinefunction(ours)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
        assert get_type_hints(ours) == get_type_hints(theirs)


def _own(module: ModuleType) -> list[str]:
    """The functions and classes that a module defines, in its order."""
    return [
        name
        for name, thing in vars(module).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__
    ]


def _module(folder: str, name: str) -> ModuleType:
    return importlib.import_module(f"{adapters.__name__}.providers.{folder}.{name}")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_providers_folder_has_the_same_names_in_the_same_order(folder: str) -> None:
    (adapter,) = _own(_module(folder, "adapter"))
    assert adapter.endswith("Adapter")
    written = _own(_module(folder, "request"))
    assert written[0].endswith("_request")
    completion, stop_reason, usage, answer, *_ = _own(_module(folder, "answer"))
    assert (completion, stop_reason, usage) == ("_completion", "_map_stop_reason", "_map_usage")
    assert answer.endswith("Answer")
    thing = getattr(_module(folder, "answer"), answer)
    assert [name for name in vars(thing) if not name.startswith("_")] == ["take", "completion"]
