"""What Anthropic's Messages endpoint refuses."""

from __future__ import annotations

from tests.fakes.wire.anthropic.calls import CALLS
from tests.fakes.wire.anthropic.content import MESSAGE_CONTENT
from tests.fakes.wire.anthropic.conversation import CONVERSATION
from tests.fakes.wire.anthropic.request import MESSAGE_FIELDS
from tests.fakes.wire.anthropic.thinking import THINKING
from tests.fakes.wire.anthropic.tools import MESSAGE_TOOLS
from tests.fakes.wire.rule import RuleBook

MESSAGES = RuleBook("Anthropic Messages", MESSAGE_FIELDS, THINKING, CONVERSATION, CALLS, MESSAGE_CONTENT, MESSAGE_TOOLS)
