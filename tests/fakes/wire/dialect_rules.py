"""What the providers that speak Chat Completions refuse, each in its own words.

A provider that forwards to others, such as OpenRouter or LiteLLM, is as strict as what stands behind it: it has the
rules that all share.
"""

from __future__ import annotations

from tests.fakes.wire.chat_rules import CHAT, OPENAI_CHAT
from tests.fakes.wire.dialects.deepseek import DEEPSEEK
from tests.fakes.wire.dialects.eastern import MOONSHOT, QWEN
from tests.fakes.wire.dialects.engines import LLAMA_CPP, LM_STUDIO, OLLAMA, VLLM
from tests.fakes.wire.dialects.envelope import envelope
from tests.fakes.wire.dialects.gateways import AZURE, LITELLM
from tests.fakes.wire.dialects.gemini import GEMINI
from tests.fakes.wire.dialects.groq import GROQ
from tests.fakes.wire.dialects.hosts import CEREBRAS, FIREWORKS, OPENROUTER, TOGETHER
from tests.fakes.wire.dialects.mistral import MISTRAL
from tests.fakes.wire.dialects.xai import XAI
from tests.fakes.wire.rule import RuleBook

__all__ = ["DIALECTS", "envelope"]

DIALECTS: dict[str, RuleBook] = {
    "chat": CHAT,
    "openai": OPENAI_CHAT,
    "azure": AZURE,
    "gemini": GEMINI,
    "mistral": MISTRAL,
    "deepseek": DEEPSEEK,
    "groq": GROQ,
    "xai": XAI,
    "together": TOGETHER,
    "fireworks": FIREWORKS,
    "cerebras": CEREBRAS,
    "moonshot": MOONSHOT,
    "qwen": QWEN,
    "openrouter": OPENROUTER,
    "litellm": LITELLM,
    "ollama": OLLAMA,
    "vllm": VLLM,
    "llama_cpp": LLAMA_CPP,
    "lm_studio": LM_STUDIO,
}
"""The rules of each dialect, by its name."""
