"""From settings to adapters: nothing is loaded before it is called, and what is missing is named."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sostenuto import Agent, App, Model, Prompt
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.activities.not_served import NotServedError
from sostenuto.contracts.errors import SetupError
from sostenuto.contracts.message import Message
from sostenuto.workers.providers import LazyEmbedder, build_adapters, build_embedder, missing_keys, unused_models
from sostenuto.workers.settings import Settings


def _request(name: str) -> ModelRequest:
    return ModelRequest(model=Model(name), instructions="", messages=(Message.user("Hello"),))


def test_building_loads_no_sdk() -> None:
    code = """
import sys
from sostenuto.workers.providers import build_adapters, build_embedder
from sostenuto.workers.settings import Settings
build_embedder(Settings())
environ = {"SOSTENUTO_PROVIDER_GROQ_URL": "http://127.0.0.1:1", "SOSTENUTO_LOCAL_URL": "http://127.0.0.1:1"}
print(*sorted(build_adapters(Settings.load(environ=environ))))
print(*{"anthropic", "openai", "httpx2", "genai_prices", "onnxruntime", "numpy"} & set(sys.modules))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    adapters, loaded = printed.splitlines()
    assert adapters.split() == ["anthropic", "groq", "local", "openai"]
    assert loaded == ""


async def test_a_provider_without_a_key_says_so_when_it_is_called() -> None:
    adapters = build_adapters(Settings())
    for name in ("anthropic", "openai"):
        assert adapters[name].provider == name
        with pytest.raises(NotServedError, match=f"set {name.upper()}_API_KEY"):
            await adapters[name].complete(_request(f"{name}/m"))
        await adapters[name].close()


async def test_a_script_answers(tmp_path: Path) -> None:
    script, log = tmp_path / "script.json", tmp_path / "log.jsonl"
    script.write_text('["Hello yourself"]')
    environ = {"SOSTENUTO_SCRIPT": str(script), "SOSTENUTO_SCRIPT_LOG": str(log)}
    adapter = build_adapters(Settings.load(environ=environ))["scripted"]
    await adapter.close()
    assert (await adapter.complete(_request("scripted/any"))).message.text == "Hello yourself"
    await adapter.close()
    assert json.loads(log.read_text())["turn"] == 0


async def test_a_local_model_without_its_weights_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(local_url="http://127.0.0.1:1", state_dir=tmp_path)
    with pytest.raises(NotServedError, match=r"cannot call 'local'.*weights/.*sostenuto pull"):
        await build_adapters(settings)["local"].complete(_request("local/l"))


async def test_a_local_model_without_its_server_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    with pytest.raises(NotServedError, match="cannot call 'local': no local model server: start one"):
        await build_adapters(settings)["local"].complete(_request("local/l"))


def test_what_the_models_of_an_app_lack_is_named() -> None:
    app = App(
        Agent(name="one", model=Model("anthropic/a", fallbacks=["openai/o", "nowhere/n"])),
        Agent(name="two", model="local/l"),
        Agent(name="three", model="groq/g"),
        Agent(name="four", model="free/f"),
        Agent(name="five", model="scripted/s"),
    )
    environ = {
        "OPENAI_API_KEY": "sk",
        "SOSTENUTO_PROVIDER_FREE_URL": "http://127.0.0.1:1",
        "SOSTENUTO_PROVIDER_GROQ_URL": "http://127.0.0.1:1",
    }
    settings = Settings.load(environ=environ)
    groq = settings.providers["groq"].model_copy(update={"api_key_env": "GROQ_API_KEY"})
    settings = settings.model_copy(update={"providers": settings.providers | {"groq": groq}})
    assert [problem for agent in app for problem in missing_keys(agent, settings)] == [
        "agent 'one': model: anthropic/a: no key: set ANTHROPIC_API_KEY",
        "agent 'one': model.fallbacks[1]: nowhere/n: unknown provider 'nowhere': set SOSTENUTO_PROVIDER_NOWHERE_URL, "
        "or base_url under [providers.nowhere] in sostenuto.toml",
        "agent 'two': model: local/l: no local model server: start one by `sostenuto dev`, or run this "
        "in the directory where `sostenuto dev` runs (or set SOSTENUTO_STATE_DIR to its state directory), or set "
        "SOSTENUTO_LOCAL_URL",
        "agent 'three': model: groq/g: no key: set GROQ_API_KEY",
        "agent 'five': model: scripted/s: no script: set SOSTENUTO_SCRIPT to a JSON file of steps",
    ]


async def test_an_embedder_is_built_once_for_all_who_use_it() -> None:
    built: list[Any] = []

    class Twice:
        async def embed(self, texts: list[str]) -> list[str]:
            return texts * 2

    def build() -> Any:
        built.append(Twice())
        return built[-1]

    shared = LazyEmbedder(build)
    answers: Any = await asyncio.gather(shared.embed(["a"]), shared.embed(["b"]))
    assert (answers, len(built)) == ([["a", "a"], ["b", "b"]], 1)
    assert shared.built() is built[0]


async def test_an_embedder_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="sostenuto pull"):
        await build_embedder(Settings(state_dir=tmp_path)).embed(["a"])

    def build() -> Any:
        raise ImportError("no module numpy")

    with pytest.raises(SetupError, match=r"no module numpy.*sostenuto\[local\]"):
        await LazyEmbedder(build).embed(["a"])


def test_settings_of_models_whose_provider_is_not_there_are_told() -> None:
    tables = {"gorq/llama*": {"output": "json"}, "groq/llama*": {"output": "json"}, "anthropic/*": {"images": "none"}}
    settings = Settings(providers={"groq": {"base_url": "http://127.0.0.1:1/v1"}}, models=tables)
    assert unused_models(settings) == [
        "[models.\"gorq/llama*\"]: there is no provider 'gorq' here "
        "(there are: anthropic, openai, local, scripted, groq), so nothing comes of it"
    ]


def test_a_provider_with_a_dash_is_not_told_of_a_variable_that_cannot_name_it() -> None:
    (problem,) = missing_keys(Prompt(name="p", template="{input}", model="my-x/m"), Settings())
    assert problem.endswith("unknown provider 'my-x': set base_url under [providers.my-x] in sostenuto.toml")


def test_a_provider_that_is_misspelled_is_told_of_the_one_that_was_meant() -> None:
    (problem,) = missing_keys(Prompt(name="p", template="{input}", model="antropic/m"), Settings())
    assert problem.endswith("antropic/m: unknown provider 'antropic': did you mean 'anthropic'?")


def test_what_is_said_of_models_is_refused_by_its_provider() -> None:
    said = Settings(models={"anthropic/claude-*": {"output_tokens": -7}})
    with pytest.raises(SetupError, match=r"^sostenuto.toml: the \[models\] of provider 'anthropic': .*output_tokens"):
        build_adapters(said)
