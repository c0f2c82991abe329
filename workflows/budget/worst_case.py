"""The most that a model call can take and cost.

No tokenizer is asked: a token has at least one byte, and of all that the model answered last its provider told how many
tokens it has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...contracts.control.price import HOW_TO_PRICE
from ...contracts.errors import SpecError
from ...contracts.head import Head
from ...contracts.limits import written_bytes
from ...contracts.message import FilePart, ImagePart, Message, Part, ToolResultPart
from ...contracts.model import Model
from ...contracts.provider_tool import WebSearch
from ...contracts.wire.model_call import NEARLY_SPENT, Allowance
from .account import Account
from .amount import Amount

PICTURE_TOKENS = 6_400
"""More than providers say that a picture takes, but for these models."""
_DEAR_PICTURES = {"gpt-4o-mini": 48_200}
"""By the beginning of the model's own name: up to eight tiles of 5,667 tokens each, and 2,833 for the whole."""
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


def prompt_tokens(head: Head, messages: Iterable[Message], known: int = 0, model: str = "") -> int:
    """Return how many tokens a prompt has at most.

    Args:
        head: What stands before the messages.
        messages: Those of which no provider has told how many tokens they have.
        known: Tokens of all that comes before those, the head included; 0 where nobody has told.
        model: The model's own name: some count pictures otherwise.
    """
    before = known or written_bytes(head) + _CALL_TOKENS
    picture = next((most for name, most in _DEAR_PICTURES.items() if model.startswith(name)), PICTURE_TOKENS)
    return before + sum(_message_tokens(message, picture) for message in messages)


def _message_tokens(message: Message, picture: int) -> int:
    return _MESSAGE_TOKENS + sum(_part_tokens(part, picture) for part in message.parts)


def _part_tokens(part: Part, picture: int) -> int:
    if isinstance(part, ImagePart):
        return picture
    if isinstance(part, FilePart):
        size = len(part.data) * 3 // 4 if part.data is not None else 0
        return picture + size * _FILE_BYTES_TOKENS if part.data is not None else _LINKED_FILE_TOKENS
    if isinstance(part, ToolResultPart) and part.attachments:
        bare = part.model_copy(update={"attachments": ()})
        return written_bytes(bare) + _MESSAGE_TOKENS + sum(_part_tokens(one, picture) for one in part.attachments)
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
    left, price = account.spare(last=last), model.price
    if price is None and account.counts_usd:
        raise SpecError(f"{model.name}: its price is not known, and a budget counts US dollars: {HOW_TO_PRICE}")
    most = _most_output(model, room)
    if model.max_output_tokens is None or last:
        if left.usd is not None and price is not None:
            most = min(most, price.output_tokens(left.usd, input_tokens, searches))
        if left.tokens is not None:
            most = min(most, left.tokens - input_tokens)
        most = max(most, min(_LEAST_OUTPUT_TOKENS, model.max_output_tokens or _LEAST_OUTPUT_TOKENS))
    amount = _amount(model, input_tokens, most, searches)
    allowance = Allowance(usd=amount.usd, tokens=amount.tokens, output_tokens=most)
    used, limit = account.nearest()
    if used >= NEARLY_SPENT:
        allowance = allowance.model_copy(update={"used": round(used, 3), "limit": limit})
    return amount, allowance


def whole_cost(model: Model, input_tokens: int, room: int, searches: int) -> Amount:
    """Return the most that a call with an answer of any length can cost.

    Args:
        model: Who is called.
        input_tokens: Most tokens of the prompt.
        room: How many times the usual length the answer may have.
        searches: Most searches of the web by the provider.
    """
    return _amount(model, input_tokens, _most_output(model, room), searches)


def _most_output(model: Model, room: int) -> int:
    return model.max_output_tokens or _USUAL_OUTPUT_TOKENS * room


def _amount(model: Model, input_tokens: int, output_tokens: int, searches: int) -> Amount:
    usd = model.price.most(input_tokens, output_tokens, searches) if model.price is not None else 0.0
    # Short in the history, and never less.
    return Amount(math.ceil(usd * _NANO) / _NANO, input_tokens + output_tokens, 1)
