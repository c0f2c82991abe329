"""Translates the errors of Anthropic's SDK.

Must not retry.
"""

from __future__ import annotations

from typing import Final

import anthropic

from .....contracts.errors import AuthenticationFailed, InvalidRequest, ModelError, ProviderUnavailable, Timeout
from .....contracts.model import Model
from ..failures import HTTP_FAILURES, UNREADABLE, Failure, connection_error, http_error, model_error, unreadable

ANTHROPIC_FAILURES: Final = (anthropic.AnthropicError, *HTTP_FAILURES, *UNREADABLE)
"""Everything that a call through the SDK raises."""


def anthropic_error(error: Exception, model: Model, key_env: str, secret: str | None) -> ModelError:
    """Return the error that says what to do about what the SDK raised."""
    match error:
        case anthropic.APIStatusError():
            details = (error.error_code, error.type)
            message = error.api_message or str(error)
            failure = Failure(message, error.status_code, details, error.response.headers, error.request_id or "")
            return model_error(failure, model=model.model, key_env=key_env, secret=secret)
        case anthropic.APITimeoutError():
            return Timeout(f"the provider did not answer in time: {error}")
        case anthropic.APIConnectionError():
            return connection_error(error)
        case anthropic.CredentialsError() | anthropic.WorkloadIdentityError():
            return AuthenticationFailed(f"{error}: set {key_env}")
        case anthropic.APIResponseValidationError():
            return unreadable(error)
        case anthropic.APIError() | anthropic.RetryableError():
            return ProviderUnavailable(f"the provider failed: {error}")
        case anthropic.AnthropicError():
            return InvalidRequest(f"the request cannot be sent: {error}")
        case _:
            return http_error(error) if isinstance(error, HTTP_FAILURES) else unreadable(error)
