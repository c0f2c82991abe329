"""OpenAI, by the Responses API: must not retry, keeps no state of a run."""

from __future__ import annotations

import httpx2
import openai

from .....contracts.model import Model
from ....model_adapter import Completion, ModelRequest, OnDelta
from ..asking.prepared import prepared
from ..deadline import Begun, call_seconds, deadline
from ..failures import check_stream, missing_key
from ..openai_errors import OPENAI_FAILURES, openai_error
from ..profiles.known import Profiles
from ..refused_feature import noted
from ..sdk_client import openai_client
from .answer import ResponsesAnswer
from .request import responses_request

_BASE_URL = "https://api.openai.com/v1"


class OpenAIAdapter:
    """OpenAI's models.

    Args:
        api_key: The key. None: every call says which variable is to be set.
        base_url: Another address that speaks the Responses API, up to `/v1`. None: OpenAI's own.
        provider: The name that it goes by.
        api_key_env: Environment variable of the key, to be named in errors.
        connect_seconds: Longest wait for a connection.
        profiles: What its models accept. Default: what is known of OpenAI's.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        provider: str = "openai",
        api_key_env: str = "OPENAI_API_KEY",
        connect_seconds: float = 10.0,
        profiles: Profiles | None = None,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url or _BASE_URL
        self._connect_seconds = connect_seconds
        self._profiles = profiles or Profiles("openai")
        self._client: openai.AsyncOpenAI | None = None

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send the request and return the model's whole answer, streamed inside.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        wire = prepared(request, self._profiles)
        body = responses_request(request, self.provider, wire)
        client = self._connected()
        timeout = httpx2.Timeout(call_seconds(request.model), connect=self._connect_seconds)
        begun = Begun()
        async with deadline(request.model, begun):
            try:
                # The body goes as it is: given as arguments, the SDK would walk the whole transcript to transform it.
                stream = await client.responses.create(stream=True, extra_body=body, timeout=timeout)
                async with stream:
                    check_stream(stream.response)
                    answer = begun.watched(ResponsesAnswer(on_delta))
                    async for event in stream:
                        answer.take(event)
                request_id = stream.response.headers.get("x-request-id", "")
                return wire.restored(answer.completion(self.provider, request_id))
            except OPENAI_FAILURES as error:
                found = openai_error(error, request.model, self._api_key_env, self._api_key)
                begun.mark(found)
                raise noted(found, error, body, request, self._api_key) from None

    async def harms(self, model: Model, text: str) -> tuple[str, ...]:
        """Return the categories of harm that a text is of, by the moderation endpoint.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        client = self._connected()
        timeout = httpx2.Timeout(call_seconds(model), connect=self._connect_seconds)
        async with deadline(model, Begun()):
            try:
                found = await client.moderations.create(model=model.model, input=text, timeout=timeout)
                said = [one.categories.model_dump(by_alias=True) for one in found.results if one.flagged]
            except OPENAI_FAILURES as error:
                raise openai_error(error, model, self._api_key_env, self._api_key) from None
        return tuple(dict.fromkeys(name for categories in said for name, is_so in categories.items() if is_so))

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    def _connected(self) -> openai.AsyncOpenAI:
        if not self._api_key:
            raise missing_key(self._api_key_env)
        if self._client is None:
            self._client = openai_client(api_key=self._api_key, base_url=self._base_url)
        return self._client
