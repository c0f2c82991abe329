"""What a model call consumed."""

from __future__ import annotations

from ..contract import Contract


class Usage(Contract):
    """What one or more model calls are charged for.

    Adds up with `+`; with `-` what is left beside a part of it.
    """

    input_tokens: int = 0
    """All input tokens, the cached ones included."""
    cached_tokens: int = 0
    """Input tokens read from the provider's prompt cache."""
    cache_write_tokens: int = 0
    """Input tokens written to the provider's prompt cache."""
    output_tokens: int = 0
    """All output tokens, reasoning included."""
    reasoning_tokens: int = 0
    """Output tokens spent on reasoning."""
    web_searches: int = 0
    """Searches of the web by the provider itself, each with a fee of its own."""

    @property
    def total_tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})

    def __sub__(self, part: Usage) -> Usage:
        return Usage(**{name: max(getattr(self, name) - getattr(part, name), 0) for name in Usage.model_fields})
