"""Every provider has its own words for a prompt that is too long: all mean the same here."""

from __future__ import annotations

import pytest

from sostenuto.activities.adapters.providers.failures import Failure, model_error
from sostenuto.contracts.errors import ContextOverflow, InvalidRequest, ModelError, RateLimited

TOO_LONG = {
    "anthropic": (400, "prompt is too long: 214032 tokens > 200000 maximum"),
    "anthropic before 4.5": (400, "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000"),
    "openai": (400, "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000."),
    "openai responses": (400, "Your input exceeds the context window of this model. Please adjust your input."),
    "openai gpt-5": (
        400,
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000.",
    ),
    "openai per minute": (429, "Request too large for gpt-4.1 in organization x on tokens per min (TPM): Limit 60000."),
    "gemini": (400, "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."),
    "mistral": (
        400,
        "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    ),
    "groq": (400, "Please reduce the length of the messages or completion."),
    "groq per minute": (
        413,
        "Request too large for model `llama-3.3-70b-versatile` on tokens per minute (TPM): Limit 12000",
    ),
    "xai": (400, "This model's maximum prompt length is 131072 but the request contains 149617 tokens."),
    "together": (400, "The input (516368 tokens) is longer than the model's context length (262144 tokens)."),
    "tgi": (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 80125 `inputs`"),
    "fireworks": (400, "The prompt is too long: 203557, model maximum context length: 196607"),
    "openrouter": (400, "This endpoint's maximum context length is 163840 tokens. However, you requested about 243013"),
    "ollama": (400, "prompt too long; exceeded max context length by 4 tokens"),
    "vllm": (400, "You passed 140000 input tokens. However, the model's context length is only 131072 tokens"),
    "llama.cpp": (400, "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it"),
    "lm studio": (400, "The number of tokens to keep from the initial prompt is greater than the context length."),
    "bedrock": (400, "Input is too long for requested model."),
    "kimi": (400, "Invalid request: Your request exceeded model token limit: 131072"),
}


@pytest.mark.parametrize("provider", list(TOO_LONG))
def test_too_long_a_prompt_in_everybodys_words(provider: str) -> None:
    status, words = TOO_LONG[provider]
    code = "rate_limit_exceeded" if "per minute" in provider else None
    assert type(model_error(Failure(words, status, (code,)), model="m", key_env="K")) is ContextOverflow


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure("Too many tokens, please wait before trying again.", 429), RateLimited),
        (Failure("Rate limit reached for model on tokens per minute (TPM): Limit 6000, Used 5034.", 429), RateLimited),
        (
            Failure("Invalid 'prompt_cache_key': string too long.", 400, ("string_above_max_length",)),
            InvalidRequest,
        ),
        (
            Failure("Invalid 'messages[2].tool_calls[0].id': string too long.", 400, ("string_above_max_length",)),
            InvalidRequest,
        ),
        (
            Failure("Invalid 'input[565].name': string too long.", 400, ("string_above_max_length",)),
            InvalidRequest,
        ),
        (
            Failure("Invalid 'messages[3].content': string too long.", 400, ("string_above_max_length",)),
            ContextOverflow,
        ),
        (Failure("Invalid 'input': string too long.", 400, ("string_above_max_length",)), ContextOverflow),
    ],
)
def test_what_only_sounds_like_it(failure: Failure, kind: type[ModelError]) -> None:
    assert type(model_error(failure, model="m", key_env="K")) is kind
