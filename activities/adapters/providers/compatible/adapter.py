"""Any provider with Chat Completions: must not retry, keeps no state of a run."""

from __future__ import annotations

import httpx2
import openai

from ....model_adapter import Completion, ModelRequest, OnDelta
from ..asking.prepared import prepared
from ..deadline import Begun, call_seconds, deadline
from ..failures import check_stream, missing_key
from ..openai_errors import OPENAI_FAILURES, openai_error
from ..profiles.known import Profiles, dialect_of
from ..refused_feature import noted
from ..sdk_client import compatible_client
from .answer import ChatAnswer
from .request import chat_request


class CompatibleAdapter:
    """The models of a provider that speaks Chat Completions.

    Args:
        provider: The name that it goes by.
        base_url: Its address, up to and without `/chat/completions`.
        api_key: The key. None: every call says which variable is to be set, unless there is none.
        api_key_env: Environment variable of the key, to be named in errors. Empty: the provider needs no key.
        connect_seconds: Longest wait for a connection.
        profiles: What its models accept. Default: what is known of it, by its address and name.
    """

    def __init__(
        self,
        *,
        provider: str,
        base_url: str,
        api_key: str | None = None,
        api_key_env: str = "",
        connect_seconds: float = 10.0,
        profiles: Profiles | None = None,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url
        self._connect_seconds = connect_seconds
        self._profiles = profiles or Profiles(dialect_of(provider, base_url))
        self._client: openai.AsyncOpenAI | None = None

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send the request and return the model's whole answer, streamed inside.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        wire = prepared(request, self._profiles)
        body = chat_request(request, self.provider, wire)
        client = self._connected()
        timeout = httpx2.Timeout(call_seconds(request.model), connect=self._connect_seconds)
        begun = Begun()
        async with deadline(request.model, begun):
            try:
                # The body goes as it is: given as arguments, the SDK would walk the whole transcript to transform it.
                stream = await client.chat.completions.create(
                    model="", messages=(), stream=True, extra_body=body, timeout=timeout
                )
                async with stream:
                    check_stream(stream.response)
                    answer = begun.watched(ChatAnswer(on_delta))
                    async for chunk in stream:
                        answer.take(chunk)
                request_id = stream.response.headers.get("x-request-id", "")
                return wire.restored(answer.completion(self.provider, request_id))
            except OPENAI_FAILURES as error:
                found = openai_error(error, request.model, self._api_key_env, self._api_key)
                begun.mark(found)
                raise noted(found, error, body, request, self._api_key) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    def _connected(self) -> openai.AsyncOpenAI:
        if not self._api_key and self._api_key_env:
            raise missing_key(self._api_key_env)
        if self._client is None:
            self._client = compatible_client(api_key=self._api_key, base_url=self._base_url)
        return self._client
