"""Translates the errors of OpenAI's SDK, which compatible providers share.

Must not retry.
"""

from __future__ import annotations

from typing import Final

import openai

from ....contracts.errors import ContentFiltered, InvalidRequest, ModelError, Timeout
from ....contracts.model import Model
from .failures import (
    HTTP_FAILURES,
    UNREADABLE,
    FailedStreamError,
    Failure,
    connection_error,
    http_error,
    model_error,
    unreadable,
)
from .reading import words_of

OPENAI_FAILURES: Final = (openai.OpenAIError, FailedStreamError, *HTTP_FAILURES, *UNREADABLE)
"""Everything that a call through the SDK raises."""


def openai_error(error: Exception, model: Model, key_env: str, secret: str | None) -> ModelError:
    """Return the error that says what to do about what the SDK raised."""
    match error:
        case FailedStreamError():
            return model_error(error.failure, model=model.model, key_env=key_env, secret=secret)
        case openai.APITimeoutError():
            return Timeout(f"the provider did not answer in time: {error}")
        case openai.APIConnectionError():
            return connection_error(error)
        case openai.APIResponseValidationError():
            return unreadable(error)
        case openai.APIError():
            return model_error(_failure(error), model=model.model, key_env=key_env, secret=secret)
        case openai.ContentFilterFinishReasonError():
            return ContentFiltered(str(error))
        case openai.OpenAIError():
            return InvalidRequest(f"the request cannot be sent: {error}")
        case _:
            return http_error(error) if isinstance(error, HTTP_FAILURES) else unreadable(error)


def _failure(error: openai.APIError) -> Failure:
    """Describe a failed response, or an error event in a stream.

    An event in the middle of a stream has no status of its own.
    """
    message = words_of(error.body) or str(error.message)
    codes = (error.code, error.type)
    if isinstance(error, openai.APIStatusError):
        return Failure(message, error.status_code, codes, error.response.headers, error.request_id or "")
    # Some compatible servers write the status where others write a name.
    status = int(error.code) if error.code and error.code.isdecimal() else None
    return Failure(message, status, codes)
