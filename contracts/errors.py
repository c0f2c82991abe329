"""The closed set of errors, named by what to do about them.

    SostenutoError
    ├── SpecError             the caller wrote something that cannot run
    ├── SetupError            something outside the code is missing: weights, a key, a port, a server
    ├── ChatBusy              a chat is at work, and takes no message meanwhile
    ├── ToolError             a tool tells the model what went wrong
    ├── DocumentError         a document cannot be read
    └── ModelError            a model call failed
        ├── RateLimited           retry, after a delay where the provider named one, then the next fallback
        ├── Overloaded            the same, the fault being the provider's
        ├── ProviderUnavailable   retry, then the next fallback
        ├── Timeout               retry, then the next fallback
        ├── ContextOverflow       never retry: the prompt is too long for the model
        ├── ContentFiltered       never retry: the provider will not answer this
        ├── QuotaExceeded         never retry: the account has no credit left
        ├── InvalidRequest        never retry: the provider rejects the request
        └── AuthenticationFailed  never retry: the key is missing, wrong or lacks a right

The names of the `ModelError` classes are durable: they are the `type` of the failures in the history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class SostenutoError(Exception):
    """Root of every error that this library raises on purpose."""


class SpecError(SostenutoError, ValueError):
    """What the caller wrote cannot run.

    The message names the place and what was expected there.
    """


class SetupError(SostenutoError):
    """Something outside the code is missing.

    The message says what, where, and how to get it.
    """


class ChatBusy(SostenutoError):
    """A chat takes no message now.

    It answers another one, or too many wait: send it again later.
    """


class ToolError(SostenutoError):
    """Raise it in a tool to tell the model, in your words, why the call did not work."""


class DocumentError(SostenutoError):
    """A document cannot be read.

    The message is the reason, for a person. Reading it once more ends the same way.
    """


class ModelError(SostenutoError):
    """A model call failed."""

    retryable: ClassVar[bool] = False
    costs_nothing: ClassVar[bool] = False
    """Whether a provider that answers so instead of a model charges nothing."""
    most_attempts: ClassVar[int | None] = None
    """Of a retryable one: after so many attempts it is final. None: as many as the model's policy has."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.paid = False
        """Whether some of an answer had come, which costs what it costs."""
        self.answered = False
        """Whether the provider had accepted the request, so that nobody knows what it charges."""
        self.unreached = False
        """Whether the provider was never reached."""

    @property
    def is_free(self) -> bool:
        """Whether the call certainly cost nothing."""
        return self.unreached or (self.costs_nothing and not self.answered and not self.paid)


class RateLimited(ModelError):
    """Too many requests or tokens. Retried, after the delay that the provider named."""

    costs_nothing = True
    retryable = True


class Overloaded(ModelError):
    """The provider has no capacity now.

    Retried, after the delay that the provider named.
    """

    costs_nothing = True
    retryable = True


class ProviderUnavailable(ModelError):
    """The provider could not be reached or broke down.

    Retried, then the next fallback.
    """

    retryable = True


class UnreadableAnswer(ModelError):
    """The provider answered, and the answer cannot be read.

    Asked once more, since each answer is paid for, then the next fallback.
    """

    retryable = True
    most_attempts = 2


class Timeout(ModelError):
    """The provider did not answer in time. Retried, then the next fallback."""

    retryable = True


class ContextOverflow(ModelError):
    """The prompt does not fit the model's context."""

    costs_nothing = True


class ContentFiltered(ModelError):
    """The provider will not answer this content."""


class QuotaExceeded(ModelError):
    """The account has no credit left."""

    costs_nothing = True


class InvalidRequest(ModelError):
    """The provider rejects the request as it is, or the model does not exist."""

    costs_nothing = True

    def __init__(self, message: str, *, retry_after: timedelta | None = None, refuses: str = "") -> None:
        super().__init__(message, retry_after=retry_after)
        self.refuses = refuses
        """Name of the feature that the model was found not to have; empty where that cannot be told."""


class AuthenticationFailed(ModelError):
    """The key is missing, wrong, or lacks a right."""

    costs_nothing = True


MODEL_ERRORS: dict[str, type[ModelError]] = {
    error.__name__: error
    for error in (
        RateLimited,
        Overloaded,
        ProviderUnavailable,
        Timeout,
        ContextOverflow,
        ContentFiltered,
        QuotaExceeded,
        InvalidRequest,
        AuthenticationFailed,
        UnreadableAnswer,
    )
}
"""Every model error by its durable name."""
