"""Searches of collections under a budget.

What embeds and judges is held before, and charged after.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from ...contracts.collection import patience
from ...contracts.collection.collection import Collection
from ...contracts.wire.retrieval import RetrievalCall, Retrieved
from ...contracts.wire.totals import Charged, Totals
from .. import policy
from ..concurrency import cause_of, spent_by, was_cut_off
from ..knowledge.retrieval import retrieve
from .account import Account
from .amount import Amount
from .hold import Hold, unsettled_beside

ChargedT = TypeVar("ChargedT", bound=Charged)
ChargedT_co = TypeVar("ChargedT_co", bound=Charged, covariant=True)
Holding: TypeAlias = Callable[[Account, Amount, str], Awaitable[Hold]]
"""Holds something of an account, for what that says."""

_TEXT_TOKENS = 16
"""What an embedding model reads around a text."""
_SHOWN_PASSAGES = 20
_SHOWN_BYTES = 6_000
_TOKEN_BYTES = 6
"""Longer ones are rare: where passages take more than what was held, fewer of them are judged."""
_JUDGE_TOKENS = 12_192
"""What a judgement takes besides the query and the passages: instructions, schema, answer."""
_ANSWER_TOKENS = 8_192
_MOST_LOST = 3
"""So many attempts of one search may be charged without an answer."""
_NANO = 1_000_000_000


def most_of(call: RetrievalCall) -> tuple[Amount, int]:
    """Return the most that a search can cost, and the tokens for judging in it.

    Args:
        call: The search. What it pays for has its price in the collection, where US dollars are limited.
    """
    collection, texts = call.collection, (call.query, *call.queries, call.hypothetical)
    tokens, usd, judging = 0, 0.0, 0
    if collection.embedding in collection.paid:
        # An attempt that fails later has paid for it, and so has the next one.
        embedded = sum(len(text.encode(errors="replace")) + _TEXT_TOKENS for text in texts) * patience.SEARCH.attempts
        tokens, usd = embedded, _usd(collection, collection.embedding, embedded, 0, patience.SEARCH.attempts)
    if collection.judge in collection.paid:
        passage = min(_SHOWN_BYTES, collection.chunk_tokens * _TOKEN_BYTES)
        judging = _JUDGE_TOKENS + 2 * len(call.query.encode(errors="replace")) + _SHOWN_PASSAGES * passage
        tokens += judging
        usd += _usd(collection, collection.judge, judging - _ANSWER_TOKENS, _ANSWER_TOKENS, 1)
    return Amount(math.ceil(usd * _NANO) / _NANO, tokens), judging


def _usd(collection: Collection, name: str, input_tokens: int, output_tokens: int, calls: int) -> float:
    price = collection.prices.get(name)
    if price is None:
        return 0.0
    return price.most(input_tokens, output_tokens) + (calls - 1) * price.most(0, 0)


def charged_for(collection: Collection, held: Amount, came: Charged | BaseException) -> Totals:
    """Return what a search is charged.

    As much as it tells; where nobody knows all of it, everything that was held for it.

    Args:
        collection: What was searched.
        held: What was held for it.
        came: What it came to, or its failure. Of one whose worker died nobody knows.
    """
    told = came.totals if isinstance(came, Charged) else spent_by(came)
    if isinstance(came, Charged) or _tells(came):
        answered = isinstance(came, Charged) or told != Totals()
        silent = told.unpriced_calls if collection.prices else not told.usage.total_tokens
        if not (answered and silent):
            return told
    return told + unsettled_beside(held, told, answered=True)


def _tells(error: BaseException) -> bool:
    """Return whether a search that failed says what it spent."""
    return isinstance(cause_of(error), ApplicationError) and not was_cut_off(error)


async def search_within(
    account: Account | None,
    call: RetrievalCall,
    activity_id: str,
    *,
    hold: Holding,
    charge: Callable[[Totals], None],
) -> Retrieved:
    """Return what a search finds, within a budget if there is one.

    Args:
        account: What it is charged to.
        call: The search.
        activity_id: Its durable identity.
        hold: Holds something of an account.
        charge: Told what each attempt cost, or is charged for.

    Raises:
        BudgetSpentError: The budget is not enough for it.
        FailureError: It cannot be searched; the cause says why.
    """
    amount, judging = most_of(call)
    budgeted_call = call.model_copy(update={"judge_tokens": judging})

    async def search(*, budgeted: bool) -> Retrieved:
        if budgeted:
            return await retrieve(budgeted_call, activity_id, budgeted=True)
        return await retrieve(call, activity_id)

    what = f"a search of {call.collection.name}"
    return await charged_within(account, amount, call.collection, search, what, hold=hold, charge=charge)


class Making(Protocol[ChargedT_co]):
    """Makes a call that costs something."""

    async def __call__(self, *, budgeted: bool) -> ChargedT_co:
        """Return what it comes to.

        Args:
            budgeted: Whether an attempt of which nobody knows what it cost is the last.
        """
        ...


async def charged_within(
    account: Account | None,
    amount: Amount,
    collection: Collection,
    make: Making[ChargedT],
    what: str,
    *,
    hold: Holding,
    charge: Callable[[Totals], None],
) -> ChargedT:
    """Return what a call comes to, within a budget if there is one.

    Args:
        account: What it is charged to.
        amount: The most that it can cost.
        collection: Whose models it asks.
        make: Makes it.
        what: What it is, in words.
        hold: Holds something of an account.
        charge: Told what each attempt cost, or is charged for.

    Raises:
        BudgetSpentError: The budget is not enough for it.
        FailureError: It fails; the cause says why.
    """
    if account is None or amount == Amount():
        return await _unlimited(make, charge)
    lost = 0
    while True:
        held = await hold(account, amount, what)
        try:
            came = await make(budgeted=True)
        except FailureError as error:
            _settle(held, charged_for(collection, amount, error), charge)
            lost += 1
            if _tells(error) or is_cancelled_exception(error) or lost >= _MOST_LOST:
                raise
        except BaseException:
            # Whatever is under way ends as an activity: here nothing was.
            held.release()
            raise
        else:
            _settle(held, charged_for(collection, amount, came), charge)
            return came
        await workflow.sleep(policy.pause_after(lost))


def _settle(held: Hold, charged: Totals, charge: Callable[[Totals], None]) -> None:
    held.settle(Amount.of(charged, 0))
    charge(charged)


async def _unlimited(make: Making[ChargedT], charge: Callable[[Totals], None]) -> ChargedT:
    try:
        came = await make(budgeted=False)
    except FailureError as error:
        charge(spent_by(error))
        raise
    charge(came.totals)
    return came
