"""Asks a reranking service over HTTP.

The form is that of Cohere, Jina and Voyage. Must not retry.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import httpx2

from ....contracts.control.usage import Usage
from ....contracts.errors import Timeout, UnreadableAnswer
from ....contracts.text import cut, encodable, redacted
from ...knowledge.reranking import AskedQuery, Candidate, Judgement
from ...prices.price import Charge, OnCharge, charge_failed
from ..bounded_http import HOOKS
from ..providers.failures import HTTP_FAILURES, Failure, http_error, missing_key, model_error
from ..providers.reading import usage_of, words_of

SENT_PASSAGES: Final = 100
"""Most passages that are judged, the best of the search: Cohere bills a search for each hundred."""

SENT_CHARS: Final = 8_000
"""Longest passage that is sent; a longer one is cut."""

_SECONDS: Final = 20.0
_CONNECT_SECONDS: Final = 10.0


class RerankService:
    """A reranker that asks a service.

    What is sent is what all of them take: the model, the query and the texts. How many to return is not said, which
    they call by different names: all are returned. What it bills stands in no price list, so its price is not known.

    Args:
        name: What the settings call it.
        model: Its own name of the model.
        url: Whole address that is posted to.
        api_key: The key. None: every call says which variable is to be set, unless there is none.
        api_key_env: Environment variable of the key, to be named in errors. Empty: the service needs no key.
    """

    def __init__(self, name: str, model: str, *, url: str, api_key: str | None, api_key_env: str) -> None:
        self._name = name
        self._model = model
        self._url = url
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._client: httpx2.AsyncClient | None = None

    async def judged(self, query: AskedQuery, candidates: Sequence[Candidate], charge: OnCharge) -> Judgement:
        """Return a score for each candidate that the service judged.

        Raises:
            UnreadableAnswer: Its answer does not have the form, or names what it was not sent.
            ModelError: The call failed; its class says what to do about it.
            NotServedError: There is no key.
        """
        if not self._api_key and self._api_key_env:
            raise missing_key(self._api_key_env)
        shown = candidates[:SENT_PASSAGES]
        shown = shown[: query.shown([cut(one.text, SENT_CHARS) for one in shown], 0)]
        if not shown:
            return [None] * len(candidates)
        body = {
            "model": self._model,
            "query": encodable(query.text),
            "documents": [cut(one.text, SENT_CHARS) for one in shown],
        }
        try:
            async with asyncio.timeout(_SECONDS):
                response = await self._connected().post(self._url, json=body)
        except TimeoutError:
            raise Timeout(f"{self._told} did not answer within {_SECONDS:g} s") from None
        except HTTP_FAILURES as error:
            found = http_error(error)
            charge_failed(found, self._name, self._model, charge)
            raise type(found)(f"{self._told}: {redacted(str(found), [self._api_key or ''])}") from None
        if not response.is_success:
            raise self._failed(response)
        try:
            said = _json(response)
        except ValueError:
            said = None
        charge(Charge(self._name, self._model, _usage(said), has_price=False))
        try:
            scores = scores_of(said, len(shown))
        except ValueError as error:
            raise UnreadableAnswer(f"{self._told} gave an answer that cannot be used: {error}") from None
        return [*scores, *[None] * (len(candidates) - len(shown))]

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()
            self._client = None

    @property
    def _told(self) -> str:
        return f"{self._name}/{self._model}"

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                headers={"authorization": f"Bearer {self._api_key}"} if self._api_key else {},
                timeout=httpx2.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
                event_hooks=HOOKS,
                follow_redirects=False,
            )
        return self._client

    def _failed(self, response: httpx2.Response) -> Exception:
        try:
            words = words_of(_json(response))
        except ValueError:
            words = ""
        words = f"{self._told}: {words or response.text[:200] or response.reason_phrase}"
        failure = Failure(words, response.status_code, (), response.headers)
        return model_error(failure, model=self._model, key_env=self._api_key_env, secret=self._api_key)


def _json(response: httpx2.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def _usage(said: Any) -> Usage | None:
    """Return the tokens that were counted, where they were: some bill searches."""
    account = said.get("usage") if isinstance(said, dict) else None
    return usage_of(account, lambda counted: Usage.model_validate({"input_tokens": counted["total_tokens"]}))


def scores_of(said: Any, count: int) -> list[float | None]:
    """Return the scores of an answer for texts 0 to `count` - 1.

    None for those that it leaves out.

    Raises:
        ValueError: It does not have the form; says what is wrong.
    """
    entries = (said.get("results") or said.get("data")) if isinstance(said, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("it has no list of results: check the url of the service")
    scores: list[float | None] = [None] * count
    for entry in entries:
        index, score = entry.get("index"), entry.get("relevance_score")
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            raise ValueError(f"it has the index {str(index)[:40]!r}, and there are 0 to {count - 1}")
        if scores[index] is not None:
            raise ValueError(f"it has the index {index} twice")
        if isinstance(score, bool) or not isinstance(score, int | float) or not _is_finite(score):
            raise ValueError(f"it gives text {index} the score {str(score)[:40]!r}, which is no number")
        scores[index] = float(score)
    return scores


def _is_finite(score: float) -> bool:
    try:
        return math.isfinite(score)
    except OverflowError:
        return False
