"""What OpenAI's own Chat Completions endpoint refuses, and with it most that follow it."""

from __future__ import annotations

from tests.fakes.wire.openai.chat_calls import CHAT_CALLS
from tests.fakes.wire.openai.chat_messages import CHAT_MESSAGES
from tests.fakes.wire.openai.chat_own import OPENAI_OWN
from tests.fakes.wire.openai.chat_tools import CHAT_TOOLS
from tests.fakes.wire.rule import RuleBook

CHAT = RuleBook("Chat Completions", CHAT_MESSAGES, CHAT_CALLS, CHAT_TOOLS)
"""What every server of the protocol refuses, or may."""

OPENAI_CHAT = RuleBook("OpenAI Chat Completions", CHAT, OPENAI_OWN)
"""What OpenAI's own refuses besides."""
