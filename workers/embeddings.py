"""Makes the embedding models and rerankers of collections from settings.

That loads no SDK and opens no connection: the first call does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..activities.adapters.rerank.model_judge import ModelJudge
from ..activities.knowledge.encoding import EncodedPassage, EncodedQuery, PassageEncoder
from ..activities.knowledge.reranking import AskedQuery, Candidate, Judgement, MaxSim, Reranker
from ..activities.model_adapter import ModelAdapter
from ..activities.not_served import NotServedError
from ..activities.prices.price import OnCharge
from ..contracts.collection.collection import LOCAL_EMBEDDING, Collection
from ..contracts.errors import SetupError
from ..contracts.model import Model
from .providers import Lazy, LazyAdapter, problem_of, unknown_provider
from .service_settings import secret_of
from .settings import Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from ..activities.adapters.embeddings.provider_passages import ProviderPassages
    from ..activities.adapters.rerank.service import RerankService

T = TypeVar("T")


class LazyPassages:
    """An embedding model of a provider that is built at its first call.

    It is built in a thread, so that its imports stall nothing else.

    Args:
        model: `provider/model`.
        settings: Addresses and keys.
    """

    def __init__(self, model: str, settings: Settings) -> None:
        self._encoder = Lazy(lambda: _encoder(model, settings), f"this worker cannot embed by {model!r}")

    async def dimensions(self, charge: OnCharge) -> int:
        """Return the length of its vectors."""
        return await (await self._encoder.get()).dimensions(charge)

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:
        """Return each text as it is stored."""
        return await (await self._encoder.get()).passages(texts, charge)

    async def queries(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedQuery]:
        """Return queries as passages are compared with them."""
        return await (await self._encoder.get()).queries(texts, charge)

    async def close(self) -> None:
        """Close the connections, where there are any yet."""
        if self._encoder.built:
            await self._encoder.built.close()


class LazyService:
    """A reranking service that is built at its first call, in a thread.

    Args:
        service: What the settings call it.
        model: Its own name of the model.
        settings: Addresses and keys.
    """

    def __init__(self, service: str, model: str, settings: Settings) -> None:
        label = f"this worker cannot rerank by {service}/{model}"
        self._service = Lazy(lambda: _service(service, model, settings), label)

    async def judged(self, query: AskedQuery, candidates: Sequence[Candidate], charge: OnCharge) -> Judgement:
        """Return a score for each candidate."""
        return await (await self._service.get()).judged(query, candidates, charge)

    async def close(self) -> None:
        """Close the connections, where there are any yet."""
        if self._service.built:
            await self._service.built.close()


class OnDemand(Mapping[str, T]):
    """What is made when its name is first asked for.

    A run may name another embedding or reranker than the app does by now: it goes on with its own.

    Args:
        known: What is there from the start.
        make: Makes one by its name; raises `KeyError` where none is called so.
    """

    def __init__(self, known: Mapping[str, T], make: Callable[[str], T]) -> None:
        self._known = dict(known)
        self._make = make

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            self._known[name] = self._make(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    async def close(self) -> None:
        """Close the connections that there are."""
        for one in self._known.values():
            if isinstance(one, LazyPassages | LazyService):
                await one.close()


def build_encoders(local: Mapping[str, PassageEncoder], settings: Settings) -> OnDemand[PassageEncoder]:
    """Return the embedding models by name.

    Those of this machine, and any of a provider.
    """
    return OnDemand(local, lambda name: LazyPassages(name, settings))


def build_rerankers(settings: Settings, adapters: Mapping[str, ModelAdapter]) -> OnDemand[Reranker]:
    """Return the rerankers by name.

    Args:
        settings: Where services are, with their keys.
        adapters: Models that may judge, by provider.
    """

    def make(name: str) -> Reranker:
        kind, _, who = name.partition(":")
        owner = who.partition("/")[0]
        provider = adapters.get(owner)
        # What is missing is told before anything is paid for that another worker would pay for again.
        if (provider is None or isinstance(provider, LazyAdapter)) and (problem := _rerank_problem(name, settings)):
            raise NotServedError(f"this worker cannot rerank by {name!r}: {problem}")
        if kind == "model" and provider is None:
            known = ", ".join(sorted(adapters)) or "none"
            raise NotServedError(f"this worker has no provider {owner!r} to rerank by (it has: {known})")
        if kind == "model" and provider:
            return ModelJudge(who, provider)
        if kind == "http":
            service, _, model = who.partition("/")
            return LazyService(service, model, settings)
        raise KeyError(name)

    return OnDemand({"maxsim": MaxSim()}, make)


def missing_for_collections(collections: Sequence[Collection], settings: Settings) -> list[str]:
    """Return a line for each collection whose embedding or reranker cannot be called.

    It names what is to be set.
    """
    problems = []
    for collection in collections:
        for field, problem in (
            ("embedding", _embedding_problem(collection.embedding, settings)),
            ("rerank", _rerank_problem(collection.rerank, settings)),
        ):
            if problem:
                place = f"collection {collection.name!r}: {field}: {getattr(collection, field)}"
                problems.append(f"{place}: {problem}")
    return problems


def _embedding_problem(embedding: str, settings: Settings) -> str:
    if embedding == LOCAL_EMBEDDING:
        return ""
    try:
        _, key, key_env = _address(embedding, settings)
    except SetupError as error:
        return str(error)
    return f"no key: set {key_env}" if key_env and not key else ""


def _rerank_problem(rerank: str, settings: Settings) -> str:
    kind, _, who = rerank.partition(":")
    if kind == "model":
        return problem_of(Model(who), settings)
    if kind == "http":
        name = who.partition("/")[0]
        service = settings.rerankers.get(name)
        if service is None:
            return _no_service(name, settings)
        return f"no key: set {service.api_key_env}" if service.api_key_env and not service.api_key else ""
    return ""


def _address(embedding: str, settings: Settings) -> tuple[str, str | None, str]:
    """Return the address of an embedding model, its key, and the key's variable.

    Raises:
        SetupError: There is none of that name.
    """
    provider = embedding.partition("/")[0]
    if provider == "openai":
        url = settings.openai_base_url or "https://api.openai.com/v1"
        return url, secret_of(settings.openai_api_key), "OPENAI_API_KEY"
    if known := settings.providers.get(provider):
        return known.base_url, secret_of(known.api_key), known.api_key_env
    if provider in ("local", "anthropic", "scripted"):
        raise SetupError(
            f"provider {provider!r} has none such: take {LOCAL_EMBEDDING}, openai/text-embedding-3-small, "
            "or one of a compatible provider"
        )
    raise SetupError(unknown_provider(provider, settings.providers))


def _encoder(embedding: str, settings: Settings) -> ProviderPassages:
    from ..activities.adapters.embeddings.provider_passages import ProviderPassages
    from ..activities.adapters.providers.sdk_client import compatible_client, openai_client

    url, key, key_env = _address(embedding, settings)
    connected: Callable[[], AsyncOpenAI]
    if embedding.startswith("openai/"):
        connected = lambda: openai_client(api_key=key or "", base_url=url, follow_redirects=False)  # noqa: E731
    else:
        connected = lambda: compatible_client(api_key=key, base_url=url, follow_redirects=False)  # noqa: E731
    return ProviderPassages(Model(embedding), connected, api_key=key, api_key_env=key_env)


def _service(name: str, model: str, settings: Settings) -> RerankService:
    from ..activities.adapters.rerank.service import RerankService

    known = settings.rerankers.get(name)
    if known is None:
        raise NotServedError(f"this worker cannot rerank: {_no_service(name, settings)}")
    key = secret_of(known.api_key)
    return RerankService(name, model, url=known.url, api_key=key, api_key_env=known.api_key_env)


def _no_service(name: str, settings: Settings) -> str:
    known = ", ".join(sorted(settings.rerankers))
    return f"there is no service {name!r} (there are: {known}): set url under [rerankers.{name}] in sostenuto.toml"
