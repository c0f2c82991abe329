"""Passages and queries as a provider's embedding model has them.

It speaks OpenAI's protocol, as compatible servers do. Must not retry.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx2
import openai

from ....contracts.control.usage import Usage
from ....contracts.errors import ContextOverflow, InvalidRequest, ModelError, Timeout
from ....contracts.model import Model
from ...knowledge.encoding import EncodedPassage
from ...knowledge.store.vectors import length_of
from ...prices.price import Charge, OnCharge, charge_failed
from ..providers.failures import missing_key
from ..providers.openai_errors import OPENAI_FAILURES, openai_error
from ..providers.reading import plain, said_name, usage_of
from .checked_vectors import checked_vectors

MOST_TEXTS: Final = 64
MOST_BYTES: Final = 240_000
"""Most texts of a request, and most bytes of them in UTF-8. No token is less than a byte, and OpenAI takes 300,000
tokens at once."""

KEPT_BYTES: Final = 16_000_000
"""Most bytes of vectors that are kept, so that a step that is tried again pays once for what it has got: thousands of
the short ones, and a thousand of 3,072 numbers."""

_PASSAGES_SECONDS: Final = 60.0
_QUERY_SECONDS: Final = 20.0
_CONNECT_SECONDS: Final = 10.0

_TOO_MANY: Final = re.compile(
    r"(?<!physical )batch.?size|too many (inputs|texts)|(maximum|most).{0,30}(batch|inputs)", re.IGNORECASE
)
"""How servers that take fewer texts at once say so. What they refuse costs nothing."""

_TOO_LONG: Final = re.compile(r"physical batch size", re.IGNORECASE)
"""How llama.cpp says that one of the texts is longer than it reads."""


class ProviderPassages:
    """An embedding model of a provider.

    Args:
        model: `provider/model`.
        connected: Makes the client, at the first call.
        api_key: The key. None: every call says which variable is to be set, unless there is none.
        api_key_env: Environment variable of the key, to be named in errors. Empty: the provider needs no key.
    """

    def __init__(
        self, model: Model, connected: Callable[[], openai.AsyncOpenAI], *, api_key: str | None, api_key_env: str
    ) -> None:
        self._model = model
        self._connected = connected
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._client: openai.AsyncOpenAI | None = None
        self._asking = asyncio.Lock()
        self._dimensions = 0
        self._most_texts = MOST_TEXTS
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._kept_bytes = 0

    async def dimensions(self, charge: OnCharge) -> int:
        """Return the length of its vectors: of a text that is embedded for that, once."""
        async with self._asking:
            if not self._dimensions:
                await self._vectors(["How long is a vector?"], charge, _QUERY_SECONDS)
        return self._dimensions

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:
        """Return each text as it is stored.

        Raises:
            NotServedError: There is no key.
            ModelError: The call failed; its class says what to do about it.
        """
        return [EncodedPassage(dense) for dense in await self._vectors(texts, charge, _PASSAGES_SECONDS)]

    async def queries(self, texts: Sequence[str], charge: OnCharge) -> Sequence[DenseQuery]:
        """Return queries as passages are compared with them, by one request.

        Raises as `passages`.
        """
        return [DenseQuery(dense) for dense in await self._vectors(texts, charge, _QUERY_SECONDS)]

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    async def _vectors(self, texts: Sequence[str], charge: OnCharge, seconds: float) -> list[str]:
        keys = [_key(text) for text in texts]
        found = {key: self._known[key] for key in keys if key in self._known}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        most, rest, too_many = self._most_texts, list(missing.values()), False
        while rest:
            batch = _batch(rest, most)
            try:
                vectors = await self._asked(batch, charge, seconds)
            except (ContextOverflow, InvalidRequest) as error:
                most = _fewer(batch, error, "a query" if seconds == _QUERY_SECONDS else "a passage")
                too_many = not _is_too_long(error)
                continue
            if too_many:
                self._most_texts = min(self._most_texts, most)
            rest = rest[len(batch) :]
            for text, vector in zip(batch, vectors, strict=True):
                found[_key(text)] = vector
                self._keep(_key(text), vector)
        return [found[key] for key in keys]

    def _keep(self, key: bytes, vector: str) -> None:
        self._kept_bytes += len(vector) - len(self._known.pop(key, ""))
        self._known[key] = vector
        while self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._known.popitem(last=False)[1])

    async def _asked(self, texts: list[str], charge: OnCharge, seconds: float) -> list[str]:
        if not self._api_key and self._api_key_env:
            raise missing_key(self._api_key_env)
        if self._client is None:
            self._client = self._connected()
        timeout = httpx2.Timeout(seconds, connect=_CONNECT_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.embeddings.create(
                    model=self._model.model, input=texts, encoding_format="float", timeout=timeout
                )
            model = said_name(getattr(answer, "model", None), self._model.model)
            usage = usage_of(plain(getattr(answer, "usage", None)), _usage)
            charge(Charge(self._model.provider, model, usage))
            items = getattr(answer, "data", None)
            vectors = await asyncio.to_thread(checked_vectors, items, len(texts), self._dimensions)
        except ModelError:
            raise
        except TimeoutError:
            raise Timeout(f"{self._model.name} gave no vectors within {seconds:g} s") from None
        except OPENAI_FAILURES as error:
            found = openai_error(error, self._model, self._api_key_env, self._api_key)
            charge_failed(found, self._model.provider, self._model.model, charge)
            raise _named(found, self._model.name) from None
        self._dimensions = self._dimensions or length_of(vectors[0])
        return vectors


@dataclass(frozen=True, slots=True)
class DenseQuery:
    """A query whose words have no vectors of their own."""

    dense: str

    def closeness(self, codes: Sequence[str]) -> Sequence[float]:
        """Return 0 for each passage: nothing is compared word by word."""
        return [0.0 for _ in codes]


def _is_too_long(error: ModelError) -> bool:
    return isinstance(error, ContextOverflow) or bool(_TOO_LONG.search(str(error)))


def _fewer(batch: Sequence[str], error: ContextOverflow | InvalidRequest, what: str) -> int:
    """Return how many texts to send next, of those that the server refused.

    Raises:
        ContextOverflow: One of them is too long; says what it is and what to do.
        InvalidRequest: It is neither their number nor their length.
    """
    fewer = len(batch) // 2
    if _is_too_long(error):
        if not fewer:
            remedy = "ask for less" if what == "a query" else "lower the collection's chunk_tokens"
            raise ContextOverflow(f"{error}: {what} of {len(batch[0]):,} characters is more than it reads: {remedy}")
    elif not fewer or not _TOO_MANY.search(str(error)):
        raise error
    return fewer


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _batch(texts: Sequence[str], most: int) -> list[str]:
    """Return the first texts, as many as one request may have."""
    batch, size = [texts[0]], len(texts[0].encode(errors="surrogatepass"))
    for text in texts[1:most]:
        size += len(text.encode(errors="surrogatepass"))
        if size > MOST_BYTES:
            break
        batch.append(text)
    return batch


def _usage(said: dict[str, object]) -> Usage:
    tokens = said.get("prompt_tokens") or said.get("total_tokens")
    # No text has none: a server that says so does not count.
    return Usage.model_validate({"input_tokens": tokens or -1})


def _named(error: ModelError, model: str) -> ModelError:
    """Return an error that names the model, which a collection has no other place for."""
    return type(error)(f"{model}: {error}", retry_after=error.retry_after)
