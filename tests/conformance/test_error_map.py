"""No exception of either SDK, or of the HTTP client under both, is without one of our errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion

from sostenuto.activities.adapters.providers.anthropic import adapter as anthropic_adapter
from sostenuto.activities.adapters.providers.anthropic.errors import ANTHROPIC_FAILURES
from sostenuto.activities.adapters.providers.compatible import adapter as compatible_adapter
from sostenuto.activities.adapters.providers.openai import adapter as openai_adapter
from sostenuto.activities.adapters.providers.openai_errors import OPENAI_FAILURES
from sostenuto.contracts.errors import MODEL_ERRORS, ModelError
from sostenuto.contracts.model import Model

REQUEST = httpx2.Request("POST", "http://127.0.0.1/")

ANTHROPIC = {
    "APIConnectionError": "ProviderUnavailable",
    "APIError": "ProviderUnavailable",
    "APIResponseValidationError": "UnreadableAnswer",
    "APIStatusError": "InvalidRequest",
    "APITimeoutError": "Timeout",
    "APIWebhookValidationError": "ProviderUnavailable",
    "AnthropicError": "InvalidRequest",
    "AuthenticationError": "AuthenticationFailed",
    "BadRequestError": "InvalidRequest",
    "CMEKContextUnavailableError": "Overloaded",
    "CMEKKeyDisabledError": "InvalidRequest",
    "CMEKKeyNetworkBlockedError": "InvalidRequest",
    "CMEKKeyUnreachableError": "Overloaded",
    "ClaudeCodeKeyCreatorNotMemberError": "InvalidRequest",
    "ClaudeCodeVersionTooOldError": "InvalidRequest",
    "ClientClosedRequestError": "ProviderUnavailable",
    "ConflictError": "ProviderUnavailable",
    "ContentTooLargeError": "ContextOverflow",
    "ContractSpendLimitReachedError": "QuotaExceeded",
    "CredentialsError": "AuthenticationFailed",
    "DeadlineExceededError": "Timeout",
    "EnforcedSpendLimitReachedError": "QuotaExceeded",
    "GatewayTimeoutError": "Timeout",
    "HTTPNotImplementedError": "InvalidRequest",
    "IdentityTokenFileError": "AuthenticationFailed",
    "InternalServerError": "ProviderUnavailable",
    "LinkedOrganizationBillingUnavailableError": "QuotaExceeded",
    "LinkedOrganizationSpendLimitReachedError": "QuotaExceeded",
    "NotFoundError": "InvalidRequest",
    "OrganizationOnHoldError": "AuthenticationFailed",
    "OrganizationTypeNotSupportedError": "InvalidRequest",
    "OverloadedError": "Overloaded",
    "ParentOrganizationRequiredError": "InvalidRequest",
    "PaymentRequiredError": "QuotaExceeded",
    "PermissionDeniedError": "AuthenticationFailed",
    "PreconditionFailedError": "InvalidRequest",
    "RampLimitExceededError": "RateLimited",
    "RateLimitError": "RateLimited",
    "RequestBodyEncodingInvalidError": "InvalidRequest",
    "RequestBodyEncodingUnsupportedError": "InvalidRequest",
    "RequestBodyTooLargeAfterDecodingError": "ContextOverflow",
    "RequestHeaderFieldsTooLargeError": "InvalidRequest",
    "RequestTimeoutError": "Timeout",
    "RequestTooLargeError": "ContextOverflow",
    "RetryableError": "ProviderUnavailable",
    "SandboxEgressRestrictedError": "AuthenticationFailed",
    "ServiceUnavailableError": "Overloaded",
    "UnprocessableEntityError": "InvalidRequest",
    "WorkloadIdentityError": "AuthenticationFailed",
}
OPENAI = {
    "APIConnectionError": "ProviderUnavailable",
    "APIError": "ProviderUnavailable",
    "APIResponseValidationError": "UnreadableAnswer",
    "APIStatusError": "InvalidRequest",
    "APITimeoutError": "Timeout",
    "AuthenticationError": "AuthenticationFailed",
    "BadRequestError": "InvalidRequest",
    "ConflictError": "ProviderUnavailable",
    "ContentFilterFinishReasonError": "ContentFiltered",
    "InternalServerError": "ProviderUnavailable",
    "InvalidWebhookSignatureError": "UnreadableAnswer",
    "LengthFinishReasonError": "InvalidRequest",
    "NotFoundError": "InvalidRequest",
    "OAuthError": "AuthenticationFailed",
    "OpenAIError": "InvalidRequest",
    "PermissionDeniedError": "AuthenticationFailed",
    "RateLimitError": "RateLimited",
    "UnprocessableEntityError": "InvalidRequest",
    "WebSocketConnectionClosedError": "InvalidRequest",
    "WebSocketQueueFullError": "InvalidRequest",
}
HTTP = {
    "ConnectTimeout": "Timeout",
    "PoolTimeout": "Timeout",
    "ReadTimeout": "Timeout",
    "TimeoutException": "Timeout",
    "WriteTimeout": "Timeout",
    "InvalidURL": "InvalidRequest",
    "LocalProtocolError": "InvalidRequest",
    "UnsupportedProtocol": "InvalidRequest",
    "CloseError": "ProviderUnavailable",
    "ConnectError": "ProviderUnavailable",
    "CookieConflict": "ProviderUnavailable",
    "DecodingError": "ProviderUnavailable",
    "HTTPError": "ProviderUnavailable",
    "HTTPStatusError": "ProviderUnavailable",
    "NetworkError": "ProviderUnavailable",
    "ProtocolError": "ProviderUnavailable",
    "ProxyError": "ProviderUnavailable",
    "ReadError": "ProviderUnavailable",
    "RemoteProtocolError": "ProviderUnavailable",
    "RequestError": "ProviderUnavailable",
    "RequestNotRead": "ProviderUnavailable",
    "ResponseNotRead": "ProviderUnavailable",
    "SSEError": "ProviderUnavailable",
    "StreamClosed": "ProviderUnavailable",
    "StreamConsumed": "ProviderUnavailable",
    "StreamError": "ProviderUnavailable",
    "TooManyRedirects": "ProviderUnavailable",
    "TransportError": "ProviderUnavailable",
    "WriteError": "ProviderUnavailable",
}

# (adapter, the module whose exceptions reach it, what becomes of each)
MAPS: list[tuple[ModuleType, ModuleType, dict[str, str]]] = [
    (anthropic_adapter, anthropic, ANTHROPIC),
    (openai_adapter, openai, OPENAI),
    (compatible_adapter, openai, OPENAI),
    (anthropic_adapter, httpx2, HTTP),
    (openai_adapter, httpx2, HTTP),
    (compatible_adapter, httpx2, HTTP),
]

CAUGHT = {
    anthropic_adapter: ANTHROPIC_FAILURES,
    openai_adapter: OPENAI_FAILURES,
    compatible_adapter: OPENAI_FAILURES,
}


def _exported(module: ModuleType) -> dict[str, type[Exception]]:
    """The exception classes that a module exports; some it loads only when asked for."""
    things = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {name: t for name, t in things.items() if inspect.isclass(t) and issubclass(t, Exception)}


def _body(kind: type[Exception]) -> dict[str, Any]:
    """The body that the API sends with it: newer classes of Anthropic's are told by their code alone."""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__.removesuffix("Error"))
    return {"error": {"type": "some_error", "message": "m", "details": {"error_code": words.strip("_")}}}


def _made(kind: type[Exception]) -> Exception:
    """An instance as the SDK would make it, by the parameters of its constructor."""
    wanted = inspect.signature(kind.__init__).parameters
    status = getattr(kind, "status_code", None) or (500 if "InternalServer" in kind.__name__ else 400)
    completion = ChatCompletion(id="c", choices=[], created=1, model="m", object="chat.completion")
    known: dict[str, Any] = {
        "message": "m",
        "request": REQUEST,
        "response": httpx2.Response(int(status), request=REQUEST),
        "body": _body(kind),
        "completion": completion,
        "unsent_messages": [],
    }
    return kind(**{name: known[name] for name in wanted if name in known})


def _error_of(adapter: ModuleType) -> Callable[..., ModelError]:
    mapper: Callable[..., ModelError] = getattr(adapter, "anthropic_error", None) or adapter.openai_error
    return mapper


@pytest.mark.parametrize(("adapter", "module", "expected"), MAPS, ids=lambda thing: getattr(thing, "__name__", ""))
def test_every_exception_is_mapped(adapter: ModuleType, module: ModuleType, expected: dict[str, str]) -> None:
    exported = _exported(module)
    assert set(exported) == set(expected), "an SDK has gained or lost an exception: decide what it is"
    model = Model("test/test-model")
    mapped = {}
    for name, kind in exported.items():
        error = _made(kind)
        assert isinstance(error, CAUGHT[adapter]), f"{name} gets past the adapter"
        mapped[name] = type(_error_of(adapter)(error, model, "SOME_KEY", None)).__name__
    assert mapped == expected
    assert set(mapped.values()) <= set(MODEL_ERRORS)
