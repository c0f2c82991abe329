"""Translates what providers say of a failed call into our closed set of errors.

Must not import a provider's SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from ....contracts.errors import (
    AuthenticationFailed,
    ContentFiltered,
    ContextOverflow,
    InvalidRequest,
    ModelError,
    Overloaded,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    Timeout,
    UnreadableAnswer,
)
from ....contracts.text import redacted
from ...not_served import NotServedError
from ..bounded_http import ResponseTooLargeError
from .retry_after import retry_after

_LONGEST_MESSAGE = 2_000

# What all three protocols call a failure, in the body of a response or in the middle of a stream.
_BY_CODE: dict[str, type[ModelError]] = {
    "vector_store_timeout": ProviderUnavailable,
    "failed_to_download_image": ProviderUnavailable,
    "conflict_error": ProviderUnavailable,
    "overloaded_error": Overloaded,
    "overloaded": Overloaded,
    "unavailable_error": Overloaded,
    "slow_down": Overloaded,
    "timeout_error": Timeout,
    "rate_limit_error": RateLimited,
    "rate_limit_exceeded": RateLimited,
    "insufficient_quota": QuotaExceeded,
    "billing_error": QuotaExceeded,
    "billing_hard_limit_reached": QuotaExceeded,
    "billing_not_active": QuotaExceeded,
    "contract_spend_limit_reached": QuotaExceeded,
    "enforced_spend_limit_reached": QuotaExceeded,
    "organization_on_hold": AuthenticationFailed,
    "context_length_exceeded": ContextOverflow,
    "exceed_context_size_error": ContextOverflow,
    "string_above_max_length": ContextOverflow,
    "request_too_large": ContextOverflow,
    # The model's own mistakes, which it need not make again.
    "tool_use_failed": UnreadableAnswer,
    "json_validate_failed": UnreadableAnswer,
    "content_filter": ContentFiltered,
    "content_policy_violation": ContentFiltered,
    "image_content_policy_violation": ContentFiltered,
    "misalignment_policy_violation": ContentFiltered,
    "bio_policy": ContentFiltered,
    "cyber_policy": ContentFiltered,
    "authentication_error": AuthenticationFailed,
    "invalid_api_key": AuthenticationFailed,
    "permission_error": AuthenticationFailed,
    "not_found_error": InvalidRequest,
    "model_not_found": InvalidRequest,
    "invalid_prompt": InvalidRequest,
    "invalid_image": InvalidRequest,
    "invalid_image_format": InvalidRequest,
    "invalid_base64_image": InvalidRequest,
    "invalid_image_url": InvalidRequest,
    "invalid_image_mode": InvalidRequest,
    "image_too_large": InvalidRequest,
    "image_too_small": InvalidRequest,
    "image_parse_error": InvalidRequest,
    "image_file_too_large": InvalidRequest,
    "image_file_not_found": InvalidRequest,
    "unsupported_image_media_type": InvalidRequest,
    "empty_image_file": InvalidRequest,
    "data_residency_mismatch": InvalidRequest,
}

# Names so general that a status says more. They stand alone in the middle of a stream, whose status is 200.
_BY_GENERAL_CODE: dict[str, type[ModelError]] = {
    "api_error": ProviderUnavailable,
    "server_error": ProviderUnavailable,
    "invalid_request_error": InvalidRequest,
}

# 503 is Overloaded, not ProviderUnavailable: it says that there is no capacity now, often with a Retry-After.
# 501 will be no other next time. 409 and 499 come from the provider's own races.
_BY_STATUS: dict[int, type[ModelError]] = {
    401: AuthenticationFailed,
    402: QuotaExceeded,
    403: AuthenticationFailed,
    408: Timeout,
    409: ProviderUnavailable,
    413: ContextOverflow,
    425: ProviderUnavailable,
    429: RateLimited,
    499: ProviderUnavailable,
    501: InvalidRequest,
    503: Overloaded,
    504: Timeout,
    524: Timeout,
    529: Overloaded,
}

# Only where there is no code for it: Anthropic's `invalid_request_error`, and servers that send a bare text.
_BY_WORDS: tuple[tuple[re.Pattern[str], type[ModelError]], ...] = (
    (re.compile(r"prompt is too long|exceeds? (the )?(available )?context", re.IGNORECASE), ContextOverflow),
    (re.compile(r"context (length|window|limit|size)", re.IGNORECASE), ContextOverflow),
    (
        re.compile(r"input token count|input tokens exceed|input is too long|prompt too long", re.IGNORECASE),
        ContextOverflow,
    ),
    (re.compile(r"maximum (prompt|input) length|exceeded model token limit", re.IGNORECASE), ContextOverflow),
    (
        re.compile(r"`inputs` tokens \+ `max_new_tokens`|reduce the length of the messages", re.IGNORECASE),
        ContextOverflow,
    ),
    (re.compile(r"content filter|content management policy", re.IGNORECASE), ContentFiltered),
    (re.compile(r"credit balance is too low|exceeded your current quota", re.IGNORECASE), QuotaExceeded),
)

# A name or an id that is too long is a mistake, not too long a prompt.
_LONG_CONTENT = re.compile(r"'[^']*(content|text|output|input|instructions)[^']*'(?<!name')(?<!id')")

HTTP_FAILURES: Final = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, httpx2.CookieConflict)
"""Everything that the HTTP client under both SDKs raises, where the SDK does not wrap it."""

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading an answer ends in that does not have the provider's own form: the SDKs check little of it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call as the provider tells it."""

    message: Any
    """Its words, or whatever stands where they should: `words` is always a text."""
    status: int | None = None
    codes: Sequence[Any] = ()
    """The provider's names for it, the most exact first. What is not a text is ignored."""
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""

    @property
    def words(self) -> str:
        """What the provider says, as a text."""
        return self.message if isinstance(self.message, str) else json.dumps(self.message, default=str)


class FailedStreamError(Exception):
    """A failure that came in the middle of a stream.

    It never leaves an adapter.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


def model_error(failure: Failure, *, model: str, key_env: str, secret: str | None = None) -> ModelError:
    """Return the error that says what to do about a failure.

    Args:
        failure: What the provider said.
        model: The model that was called, to name it where it may not exist.
        key_env: Environment variable that holds the key, to name it where the key is refused.
        secret: The key, which some providers repeat: it is blotted out.
    """
    kind = _kind(failure)
    message = redacted(failure.words, [secret] if secret else ())
    said = dict.fromkeys(str(part) for part in (failure.status, *failure.codes[:1], failure.request_id) if part)
    text = f"{message[:_LONGEST_MESSAGE]} ({', '.join(said)})" if said else message[:_LONGEST_MESSAGE]
    if kind is AuthenticationFailed:
        text += f": check the key in {key_env}" if key_env else ": the provider wants a key: set its api_key_env"
    elif failure.status and 300 <= failure.status < 400:
        text += ": it sends calls on to another address, which are not followed: check the base URL"
    elif failure.status == 404:
        text += f": check that the provider has a model named {model!r}, and the base URL"
    return kind(text, retry_after=retry_after(failure.headers))


def http_error(error: Exception) -> ModelError:
    """Return the error for a failure of the HTTP client itself."""
    text = _with_causes(error)
    if isinstance(error, ResponseTooLargeError):
        return UnreadableAnswer(text)
    if isinstance(error, httpx2.TimeoutException):
        timeout = Timeout(f"the provider did not answer in time: {text}")
        timeout.unreached = isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        return timeout
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return InvalidRequest(f"the provider cannot be addressed so: {text}: check the base URL")
    unavailable = ProviderUnavailable(f"the connection to the provider failed: {text}")
    unavailable.unreached = isinstance(error, httpx2.ConnectError)
    return unavailable


def connection_error(error: Exception) -> ModelError:
    """Return the error for an SDK's connection error, by what caused it."""
    cause = error.__cause__
    return http_error(cause if isinstance(cause, HTTP_FAILURES) else error)


def missing_key(key_env: str) -> NotServedError:
    """Return the error for a call without a key: another worker may have one."""
    return NotServedError(f"there is no key: set {key_env} in the worker's environment")


def unreadable(error: Exception) -> ModelError:
    """Return the error for an answer that is not in the provider's own form."""
    if isinstance(error, UnicodeEncodeError):
        return InvalidRequest(
            "the request cannot be written: its key, address or text has characters that no request has"
        )
    return UnreadableAnswer(f"the provider's answer cannot be read: {type(error).__name__}: {error}")


def check_stream(response: httpx2.Response) -> None:
    """Check that an answer is a stream of events, as far as it says so.

    Raises:
        UnreadableAnswer: It is a page, or one piece of JSON.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/json"):
        raise UnreadableAnswer(
            f"the provider answered {response.status_code} with {kind} in place of a stream: check the base URL"
        )


def broken_stream(missing: str) -> UnreadableAnswer:
    """Return the error for a stream that broke off before it was complete."""
    return UnreadableAnswer(f"the stream ended before {missing}: the answer is incomplete")


def _kind(failure: Failure) -> type[ModelError]:
    codes = [code for code in failure.codes if isinstance(code, str)]
    # More than the account may send in a minute: no wait helps, whatever the code says.
    if failure.words.startswith("Request too large for"):
        return ContextOverflow
    if "string_above_max_length" in codes and not _LONG_CONTENT.search(failure.words):
        return InvalidRequest
    for code in codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    for words, kind in _BY_WORDS:
        if failure.status in (None, 200, 400, 422, 429) and words.search(failure.words):
            return kind
    status = failure.status or 0
    if 300 <= status < 400:
        return InvalidRequest
    if status >= 400:
        return _BY_STATUS.get(status, InvalidRequest if status < 500 else ProviderUnavailable)
    return next((_BY_GENERAL_CODE[code] for code in codes if code in _BY_GENERAL_CODE), ProviderUnavailable)


def _with_causes(error: BaseException | None) -> str:
    texts: list[str] = []
    while error is not None:
        text = str(error) or type(error).__name__
        if text not in texts:
            texts.append(text)
        error = error.__cause__ or error.__context__
    return ": ".join(texts)[:_LONGEST_MESSAGE]
