"""Says in words why a budget is not enough."""

from __future__ import annotations

from typing import Protocol

from .amount import Amount


class Limited(Protocol):
    """What has limits, and spends."""

    owner: str
    usd: float | None
    tokens: int | None
    turns: int | None
    keep: float
    spent: Amount


def why_not_enough(account: Limited, amount: Amount, limit: str, what: str, *, last: bool) -> str:
    """Return why an account is not enough for something.

    Args:
        account: Which one.
        amount: What that may cost.
        limit: Which limit is too tight.
        what: What it is, in words.
        last: Whether it is for a last answer, for which a part was kept.
    """
    keep = 0.0 if last else account.keep
    if limit == "usd" and account.usd is not None:
        kept = f", ${account.usd * keep:.4f} is kept for a last answer" if keep else ""
        used = f"${account.spent.usd:.4f} of ${account.usd:.4f} is spent{kept}, and {what} may cost up to "
        used += f"${amount.usd:.4f}"
    elif limit == "tokens" and account.tokens is not None:
        kept = f", {int(account.tokens * keep):,} are kept for a last answer" if keep else ""
        used = f"{account.spent.tokens:,} of {account.tokens:,} tokens are spent{kept}, and {what} may take up to "
        used += f"{amount.tokens:,}"
    elif limit == "turns":
        kept = ", and one is kept for a last answer" if keep else ""
        used = f"{account.spent.turns:,} of {account.turns:,} model calls are made{kept}"
    else:
        used = "its time is over"
    return f"the budget of {account.owner} is not enough: {used}"
