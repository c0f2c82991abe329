"""What OpenAI's Responses endpoint refuses."""

from __future__ import annotations

from tests.fakes.wire.openai.responses_content import RESPONSE_CONTENT
from tests.fakes.wire.openai.responses_fields import RESPONSE_FIELDS
from tests.fakes.wire.openai.responses_items import ITEMS
from tests.fakes.wire.openai.responses_reasoning import REASONING
from tests.fakes.wire.openai.responses_tools import RESPONSE_TOOLS
from tests.fakes.wire.rule import RuleBook

RESPONSES = RuleBook("OpenAI Responses", RESPONSE_FIELDS, ITEMS, REASONING, RESPONSE_TOOLS, RESPONSE_CONTENT)
