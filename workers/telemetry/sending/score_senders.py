"""How a score is sent to each tool that takes any: its words, and its requests.

Sources: the API definition of Langfuse (`POST /api/public/scores`, which upserts by id); the SDK of LangSmith
(`create_feedback`, `update_feedback`, and how its server makes the id of a run of that of an OTLP span); the API of
Phoenix (`POST /v1/span_annotations`, which upserts by name, span and identifier).
"""

from __future__ import annotations

import ssl
from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

from ....connection.tracing import SpanAddress
from ....contracts.wire.feedback.score import Score
from .destinations import Destination
from .senders import Unsent, keys_in, shown_address, unsent_by

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_LANGSMITH_DECIMALS: Final = 4
"""More of them its own SDKs do not send."""
_AT_ONCE: Final = {"sync": "true"}


class ScoreSender(Protocol):
    """Sends scores to one tool."""

    async def send(self, score: Score, span: SpanAddress, score_id: str) -> None:
        """Send a score, in place of the one of that id that may be there.

        Args:
            score: As it may leave.
            span: What it is of.
            score_id: The same for all that take the place of one another.

        Raises:
            Unsent: It was not taken.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Api:
    """The API of a tool, beside the address that it takes spans at.

    Args:
        to: Says how it is reached.
        path: Of the address for spans what lies behind the API's.
    """

    def __init__(self, to: Destination, path: str) -> None:
        self.base = to.url.removesuffix(path)
        self._secrets = keys_in(to)
        verify = ssl.create_default_context(cafile=to.certificate) if to.certificate else True
        self._client = httpx.AsyncClient(headers=dict(to.headers), timeout=to.timeout_seconds, verify=verify)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        passed: Collection[int] = (),
    ) -> httpx.Response:
        """Make a request; return the answer.

        Args:
            method: Of HTTP.
            path: Within the API.
            body: Sent as JSON.
            params: The query.
            passed: What it may be answered with that is no success.

        Raises:
            Unsent: It was refused, or nothing answers.
        """
        url = self.base + path
        try:
            response = await self._client.request(method, url, json=body, params=params)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Unsent(f"{shown_address(url)} does not answer ({why})", again=True) from error
        if response.is_success or response.status_code in passed:
            return response
        raise unsent_by(response, shown_address(url), self._secrets)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class LangfuseScores:
    """Sends scores to Langfuse, which takes them before it knows the span."""

    def __init__(self, to: Destination) -> None:
        self._api = Api(to, "/otel/v1/traces")

    async def send(self, score: Score, span: SpanAddress, score_id: str) -> None:
        """Send a score.

        Raises:
            Unsent: It was not taken.
        """
        kinds = {bool: "BOOLEAN", float: "NUMERIC", str: "CATEGORICAL"}
        body = {
            "id": score_id,
            "traceId": f"{span.trace_id:032x}",
            "observationId": f"{span.span_id:016x}",
            "name": score.name,
            "value": int(score.value) if isinstance(score.value, bool) else score.value,
            "dataType": kinds[type(score.value)],
            **_comment("comment", score),
            **_by("metadata", score),
        }
        await self._api.ask("POST", "/scores", body)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


class LangsmithScores:
    """Sends scores to LangSmith, as feedback on the run that it makes of the span."""

    def __init__(self, to: Destination) -> None:
        self._api = Api(to, "/otel/v1/traces")
        self._project = to.headers.get("langsmith-project", "default")
        self._project_id = ""

    async def send(self, score: Score, span: SpanAddress, score_id: str) -> None:
        """Send a score.

        Raises:
            Unsent: It was not taken.
        """
        feedback_id = uuid5(NAMESPACE_URL, score_id)
        is_label = isinstance(score.value, str)
        number = round(score.value, _LANGSMITH_DECIMALS) if isinstance(score.value, float) else score.value
        said = {
            "score": None if is_label else number,
            "value": score.value if is_label else None,
            "comment": score.comment,
        }
        # What it has under an id can be changed there, and not be created again.
        changed = await self._api.ask("PATCH", f"/feedback/{feedback_id}", said, passed=(_NOT_FOUND,))
        if changed.is_success:
            return
        body = {
            "id": str(feedback_id),
            "run_id": str(UUID(int=span.span_id)),
            "session_id": await self._session(),
            "key": score.name,
            **{name: value for name, value in said.items() if value not in (None, "")},
            "feedback_source": {"type": "api", **_by("metadata", score)},
        }
        created = await self._api.ask("POST", "/feedback", body, passed=(_NOT_FOUND, _CONFLICT))
        if created.status_code == _NOT_FOUND:
            self._project_id = ""
            raise Unsent("LangSmith does not know the run yet", again=True)
        if created.status_code == _CONFLICT:
            raise Unsent("LangSmith was sent it just before, and cannot change it yet", again=True)

    async def _session(self) -> str:
        """Return the id of the project, without which some servers do not find a run."""
        if not self._project_id:
            params = {"name": self._project, "limit": "1"}
            answer = await self._api.ask("GET", "/sessions", params=params, passed=(_NOT_FOUND,))
            found = answer.json() if answer.is_success else []
            if not found:
                raise Unsent(f"LangSmith does not know the project {self._project!r} yet", again=True)
            self._project_id = str(found[0]["id"])
        return self._project_id

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


class PhoenixScores:
    """Sends scores to Phoenix, as annotations of the span."""

    def __init__(self, to: Destination) -> None:
        self._api = Api(to, "/traces")

    async def send(self, score: Score, span: SpanAddress, score_id: str) -> None:
        """Send a score.

        Raises:
            Unsent: It was not taken.
        """
        result: dict[str, Any] = {} if isinstance(score.value, str) else {"score": float(score.value)}
        if not isinstance(score.value, float):
            result["label"] = str(score.value).lower() if isinstance(score.value, bool) else score.value
        annotation = {
            "span_id": f"{span.span_id:016x}",
            "name": score.name,
            "annotator_kind": "HUMAN",
            "result": {**result, **_comment("explanation", score)},
            "identifier": score_id,
            **_by("metadata", score),
        }
        # Of itself it answers before it looks for the span, and forgets what finds none.
        data = {"data": [annotation]}
        taken = await self._api.ask("POST", "/span_annotations", data, params=_AT_ONCE, passed=(_NOT_FOUND,))
        if not taken.is_success:
            raise Unsent("Phoenix does not know the span yet: it is told of a run when that ends", again=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def score_sender_to(to: Destination) -> ScoreSender | None:
    """Return what sends scores to a destination; None where it takes none."""
    match to.name:
        case "langfuse":
            return LangfuseScores(to)
        case "langsmith":
            return LangsmithScores(to)
        case "phoenix":
            return PhoenixScores(to)
        case _:
            return None


def _comment(field: str, score: Score) -> dict[str, str]:
    return {field: score.comment} if score.comment else {}


def _by(field: str, score: Score) -> dict[str, dict[str, str]]:
    return {field: {"by": score.by}} if score.by else {}
