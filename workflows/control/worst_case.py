"""The most that a model call can take and cost.

No tokenizer is asked: a token has at least one byte, and of all that the model answered last its provider told how many
tokens it has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...contracts.control.price import HOW_TO_PRICE
from ...contracts.errors import SpecError
from ...contracts.limits import written_bytes
from ...contracts.message import FilePart, ImagePart, Message, Part, ToolResultPart
from ...contracts.model import Head, Model
from ...contracts.provider_tool import WebSearch
from ...contracts.wire.model_call import NEARLY_SPENT, Allowance
from .account import Account
from .amount import Amount

PICTURE_TOKENS = 6_400
"""More than any provider says that a picture takes."""
_LINKED_FILE_TOKENS = 200_000
"""Of a document that nobody here has seen."""
_FILE_BYTES_TOKENS = 3
"""Tokens of a byte of a document: its text may be compressed."""
_CALL_TOKENS = 1_024
"""What providers and adapters say around a prompt, such as how tools are called."""
_MESSAGE_TOKENS = 16
_USUAL_OUTPUT_TOKENS = 8_192
"""Most tokens of an answer whose model says no limit, times the room of the call."""
_LEAST_OUTPUT_TOKENS = 256
"""With less there is no answer worth its price."""
_NANO = 1_000_000_000


def prompt_tokens(head: Head, messages: Iterable[Message], known: int = 0) -> int:
    """Return how many tokens a prompt has at most.

    Args:
        head: What stands before the messages.
        messages: Those of which no provider has told how many tokens they have.
        known: Tokens of all that comes before those, the head included; 0 where nobody has told.
    """
    before = known or written_bytes(head) + _CALL_TOKENS
    return before + sum(_message_tokens(message) for message in messages)


def _message_tokens(message: Message) -> int:
    return _MESSAGE_TOKENS + sum(_part_tokens(part) for part in message.parts)


def _part_tokens(part: Part) -> int:
    if isinstance(part, ImagePart):
        return PICTURE_TOKENS
    if isinstance(part, FilePart):
        size = len(part.data) * 3 // 4 if part.data is not None else 0
        return PICTURE_TOKENS + size * _FILE_BYTES_TOKENS if part.data is not None else _LINKED_FILE_TOKENS
    if isinstance(part, ToolResultPart) and part.attachments:
        bare = part.model_copy(update={"attachments": ()})
        return written_bytes(bare) + _MESSAGE_TOKENS + sum(_part_tokens(one) for one in part.attachments)
    return written_bytes(part) + _MESSAGE_TOKENS


def most_searches(head: Head) -> int:
    """Return how many searches of the web a call may make."""
    return sum(tool.max_uses or _MOST_SEARCHES for tool in head.provider_tools if isinstance(tool, WebSearch))


_MOST_SEARCHES = 10


def allowance_for(
    account: Account, model: Model, input_tokens: int, room: int, searches: int, *, last: bool = False
) -> tuple[Amount, Allowance]:
    """Return the most that a call can cost, and what it is allowed.

    A model that has no limit of its own may answer with as much as the budget allows, up to a usual length; so may any
    that answers for the last time.

    Args:
        account: What it is charged to.
        model: Who is called.
        input_tokens: Most tokens of the prompt.
        room: How many times the usual length the answer may have.
        searches: Most searches of the web by the provider.
        last: Whether it is for a last answer, for which a part was kept.

    Raises:
        SpecError: US dollars are limited, and the model has no price.
    """
    left, price = account.left(last=last), model.price
    if price is None and account.counts_usd:
        raise SpecError(f"{model.name}: its price is not known, and a budget counts US dollars: {HOW_TO_PRICE}")
    most = model.max_output_tokens or _USUAL_OUTPUT_TOKENS * room
    if model.max_output_tokens is None or last:
        if left.usd is not None and price is not None:
            most = min(most, price.output_tokens(left.usd, input_tokens, searches))
        if left.tokens is not None:
            most = min(most, left.tokens - input_tokens)
        most = max(most, min(_LEAST_OUTPUT_TOKENS, model.max_output_tokens or _LEAST_OUTPUT_TOKENS))
    usd = price.most(input_tokens, most, searches) if price is not None else 0.0
    # Short in the history, and never less.
    amount = Amount(math.ceil(usd * _NANO) / _NANO, input_tokens + most, 1)
    allowance = Allowance(usd=amount.usd, tokens=amount.tokens, output_tokens=most)
    used, limit = account.used()
    if used >= NEARLY_SPENT:
        allowance = allowance.model_copy(update={"used": round(used, 3), "limit": limit})
    return amount, allowance
