"""Makes model adapters from settings.

That loads no SDK and opens no connection: the first call does.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Generic, TypeVar

from ..activities.adapters.providers.profiles.known import ProfileChange, Profiles, dialect_of, dialects
from ..activities.model_adapter import Completion, ModelAdapter, ModelRequest, OnDelta
from ..activities.not_served import NotServedError
from ..contracts.errors import SetupError
from ..contracts.names import LOCAL_PROVIDER
from .service_settings import CompatibleProvider, secret_of
from .settings import BUILT_IN, Settings
from .stack.llama_server import CONTEXT_TOKENS

if TYPE_CHECKING:
    from ..activities.adapters.embeddings.minilm import MiniLmEmbedder, TextVectors
    from ..contracts.model import Model
    from ..contracts.specs.node import Node


T = TypeVar("T")

_HOW_TO_INSTALL = "pip install 'sostenuto[worker]', or 'sostenuto[local]' for the local model"

_NO_LOCAL_SERVER = (
    "no local model server: start one by `sostenuto dev`, or run this in the directory where `sostenuto dev` runs "
    "(or set SOSTENUTO_STATE_DIR to its state directory), or set SOSTENUTO_LOCAL_URL"
)


class Lazy(Generic[T]):
    """Builds something at its first use, in a thread.

    So that its imports stall nothing else.

    Args:
        build: Builds it.
        cannot: What to say before the reason where that fails.
    """

    def __init__(self, build: Callable[[], T], cannot: str) -> None:
        self._build = build
        self._cannot = cannot
        self._lock = asyncio.Lock()
        self.built: T | None = None
        """It, once it was used."""

    async def get(self) -> T:
        """Return it.

        Raises:
            NotServedError: A package or a setting is missing; says what to do.
        """
        async with self._lock:
            if self.built is None:
                try:
                    self.built = await asyncio.to_thread(self._build)
                except SetupError as error:
                    raise NotServedError(f"{self._cannot}: {error}") from None
                except ImportError as error:
                    raise NotServedError(f"{self._cannot}: {error}: {_HOW_TO_INSTALL}") from None
            return self.built


def build_adapters(settings: Settings, embedder: LazyEmbedder | None = None) -> dict[str, ModelAdapter]:
    """Return an adapter for each provider of the settings, by name.

    Providers that lack a key or a server are there too: a call to them says what is to be set.

    Args:
        settings: Addresses, keys, and what models accept.
        embedder: What the local model chooses by. Default: one of its own.

    Raises:
        SetupError: What the settings say of models is not what can be said; names it.
    """
    shared = embedder or build_embedder(settings)
    anthropic, openai = (_profiles(settings, name, name) for name in ("anthropic", "openai"))
    adapters = [
        LazyAdapter("anthropic", lambda: _anthropic(settings, anthropic), anthropic.window),
        LazyAdapter("openai", lambda: _openai(settings, openai), openai.window),
        LazyAdapter(LOCAL_PROVIDER, lambda: _local(settings, shared), lambda _: CONTEXT_TOKENS),
    ]
    for name, provider in settings.providers.items():
        profiles = _profiles(settings, name, _dialect(name, provider))
        adapters.append(LazyAdapter(name, _compatible(name, provider, profiles), profiles.window))
    if settings.script:
        adapters.append(LazyAdapter("scripted", lambda: _scripted(settings)))
    return {adapter.provider: adapter for adapter in adapters}


def build_embedder(settings: Settings) -> LazyEmbedder:
    """Return the local embedder.

    It exists without its weights too: using it says how to get them.
    """
    return LazyEmbedder(lambda: _embedder(settings))


def unused_models(settings: Settings) -> list[str]:
    """Return a line for each table of models whose provider is not there.

    Its name may be misspelled; or it is a provider of other workers that share the settings.
    """
    there = [*BUILT_IN, *settings.providers]
    return [
        f"[models.{json.dumps(pattern)}]: there is no provider {pattern.partition('/')[0]!r} here (there are: "
        f"{', '.join(there)}), so nothing comes of it"
        for pattern in settings.models
        if pattern.partition("/")[0] not in there
    ]


def missing_keys(node: Node, settings: Settings) -> list[str]:
    """Return a line for each model of a runnable that lacks a key or an address.

    It names runnable, field and remedy.
    """
    problems = []
    for field, model in node.models.items():
        for index, choice in enumerate(model.choices):
            if problem := problem_of(choice, settings):
                place = field if index == 0 else f"{field}.fallbacks[{index - 1}]"
                problems.append(f"{type(node).__name__.lower()} {node.name!r}: {place}: {choice.name}: {problem}")
    return problems


class LazyAdapter:
    """An adapter that is built at its first call.

    It is built in a thread, so that its imports stall nothing else.

    Args:
        provider: The name that it goes by.
        build: Builds it.
        window: Returns the most tokens that a model of that name takes at once, 0 where that is not known.
    """

    def __init__(
        self, provider: str, build: Callable[[], ModelAdapter], window: Callable[[str], int] = lambda _: 0
    ) -> None:
        self.provider = provider
        self._window = window
        self._adapter = Lazy(build, f"this worker cannot call {provider!r}")

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send the request by the adapter itself.

        Raises:
            ModelError: The call failed; the adapter raised it.
        """
        return await (await self._adapter.get()).complete(request, on_delta)

    def window(self, model: Model) -> int:
        """Return the most tokens of a prompt and its answer; 0 where that is not known."""
        return self._window(model.model)

    async def close(self) -> None:
        """Close the connections, where there are any yet."""
        if self._adapter.built:
            await self._adapter.built.close()


class LazyEmbedder:
    """An embedder that is built when it is first used, once for all who use it."""

    def __init__(self, build: Callable[[], MiniLmEmbedder]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._embedder: MiniLmEmbedder | None = None

    async def embed(self, texts: Sequence[str]) -> TextVectors:
        """Return one vector of length 1 per text, in their order.

        Raises:
            SetupError: The weights or the packages that run them are missing.
        """
        return await (await asyncio.to_thread(self.built)).embed(texts)

    def built(self) -> MiniLmEmbedder:
        """Return the embedder itself.

        Blocks while it is built.

        Raises:
            SetupError: As for `embed`.
        """
        with self._lock:
            if self._embedder is None:
                try:
                    self._embedder = self._build()
                except ImportError as error:
                    raise SetupError(
                        f"the local embedder cannot be loaded ({error}): pip install 'sostenuto[local]'"
                    ) from error
            return self._embedder


def _profiles(settings: Settings, provider: str, dialect: str) -> Profiles:
    said = ((*pattern.partition("/"), fields) for pattern, fields in settings.models.items())
    changes = [ProfileChange(models, fields) for owner, _, models, fields in said if owner == provider]
    try:
        return Profiles(dialect, changes)
    except SetupError as error:
        raise SetupError(f"sostenuto.toml: the [models] of provider {provider!r}: {error}") from None


def _dialect(name: str, provider: CompatibleProvider) -> str:
    if provider.dialect and provider.dialect not in dialects():
        known = ", ".join(dialects())
        raise SetupError(f"providers.{name}.dialect: {provider.dialect!r} is not known; there are {known}")
    return provider.dialect or dialect_of(name, provider.base_url)


def _anthropic(settings: Settings, profiles: Profiles) -> ModelAdapter:
    from ..activities.adapters.providers.anthropic.adapter import AnthropicAdapter

    key = secret_of(settings.anthropic_api_key)
    return AnthropicAdapter(api_key=key, base_url=settings.anthropic_base_url, profiles=profiles)


def _openai(settings: Settings, profiles: Profiles) -> ModelAdapter:
    from ..activities.adapters.providers.openai.adapter import OpenAIAdapter

    key = secret_of(settings.openai_api_key)
    return OpenAIAdapter(api_key=key, base_url=settings.openai_base_url, profiles=profiles)


def _compatible(name: str, provider: CompatibleProvider, profiles: Profiles) -> Callable[[], ModelAdapter]:
    def build() -> ModelAdapter:
        from ..activities.adapters.providers.compatible.adapter import CompatibleAdapter

        key = secret_of(provider.api_key)
        return CompatibleAdapter(
            provider=name,
            base_url=provider.base_url,
            api_key=key,
            api_key_env=provider.api_key_env,
            profiles=profiles,
        )

    return build


def _local(settings: Settings, embedder: LazyEmbedder) -> ModelAdapter:
    from ..activities.adapters.local_model.adapter import LocalAdapter

    if not settings.local_url:
        raise SetupError(_NO_LOCAL_SERVER)
    return LocalAdapter(base_url=settings.local_url, embedder=embedder.built())


def _embedder(settings: Settings) -> MiniLmEmbedder:
    from ..activities.adapters.embeddings.minilm import MiniLmEmbedder
    from .stack.weights import Weights

    weights = Weights.find(settings.state_dir, local_model=settings.local_model)
    return MiniLmEmbedder(weights.embedding_model, weights.tokenizer)


def _scripted(settings: Settings) -> ModelAdapter:
    from ..activities.adapters.providers.scripted import ScriptedAdapter

    return ScriptedAdapter(settings.script or (), log=settings.script_log)


def problem_of(model: Model, settings: Settings) -> str:
    """Return what a model lacks here, such as a key; empty where it can be called."""
    provider = model.provider
    if provider in ("anthropic", "openai"):
        key = settings.anthropic_api_key if provider == "anthropic" else settings.openai_api_key
        return "" if key else f"no key: set {provider.upper()}_API_KEY"
    if provider == LOCAL_PROVIDER:
        return "" if settings.local_url else _NO_LOCAL_SERVER
    if provider == "scripted":
        return "" if settings.script else "no script: set SOSTENUTO_SCRIPT to a JSON file of steps"
    known = settings.providers.get(provider)
    if known is None:
        return unknown_provider(provider, settings.providers)
    return f"no key: set {known.api_key_env}" if known.api_key_env and not known.api_key else ""


def unknown_provider(provider: str, known: Iterable[str]) -> str:
    """Return what is said of a provider that no setting names.

    Args:
        provider: The provider.
        known: Those that settings name.
    """
    if close := get_close_matches(provider, [*BUILT_IN, *known], n=1):
        return f"unknown provider {provider!r}: did you mean {close[0]!r}?"
    # A variable cannot have a dash in its name, and stands for a provider without one.
    variable = "" if "-" in provider else f"SOSTENUTO_PROVIDER_{provider.upper()}_URL, or "
    return f"unknown provider {provider!r}: set {variable}base_url under [providers.{provider}] in sostenuto.toml"
