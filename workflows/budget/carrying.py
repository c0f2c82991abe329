"""What accounts were changed to, for the next execution of their workflow."""

from __future__ import annotations

from collections.abc import Iterable

from ...contracts.control.budget import Envelope
from ...contracts.wire.control.top_up import CarriedBudget, DrawnBlock
from .account import Account
from .amount import Amount


def envelope_now(account: Account) -> Envelope | None:
    """Return what the run above gave an account, as it is now.

    None where that gave it nothing.
    """
    if account.whole is None:
        return None
    now = {"usd": account.usd, "tokens": account.tokens, "turns": account.turns, "recalled": account.recalled}
    told = {"told_usd": account.told.usd, "told_tokens": account.told.tokens, "told_turns": account.told.turns}
    return account.whole.model_copy(update={**now, **told})


def carried_of(account: Account) -> tuple[CarriedBudget, ...]:
    """Return what the next execution has to know of an account.

    And of each one above it.
    """
    return tuple(
        CarriedBudget(topped_up=one.topped_up.share, until=one.until, drawn=_drawn(one))
        for one in account.with_those_above()
    )


def resume(account: Account, spent: Amount, carried: Iterable[CarriedBudget]) -> None:
    """Go on from where an earlier execution of the workflow left off.

    Args:
        account: Of what the workflow runs.
        spent: What it had spent.
        carried: What it, and each account above it, was changed to meanwhile.
    """
    for one, before in zip(account.with_those_above(), carried, strict=False):
        one.spent, one.until = spent, before.until
        one.top_up(Amount.shared(before.topped_up), 0.0)
        if block := before.drawn:
            one.change(Amount.shared(block.given))
            one.told, one.recalled = Amount.shared(block.told), block.recalled


def _drawn(account: Account) -> DrawnBlock | None:
    if account.ledger is None:
        return None
    given = Amount(account.usd or 0.0, account.tokens or 0, account.turns or 0)
    return DrawnBlock(given=given.share, told=account.told.share, recalled=account.recalled)
