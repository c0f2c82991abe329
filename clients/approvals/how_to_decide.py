"""The commands by which what waits for a person is decided.

Must not import what a command line that only shows its help does not need.
"""

from __future__ import annotations

import math
import shlex

from ...contracts.wire.control.approval_event import PendingApproval
from ...contracts.wire.control.top_up import PendingTopUp


def decide_command(call: PendingApproval, run_id: str = "", path: str = "") -> str:
    """Return the command by which a call is decided, or a question answered.

    Args:
        call: The call.
        run_id: Id of the run, or of one that it is nested in. Default: of the run itself.
        path: Place of the call, where that has to be said.
    """
    named = f"{shlex.quote(run_id or call.run_id)} {shlex.quote(call.call_id)}"
    place = f" --path {shlex.quote(path)}" if path else ""
    return f"sostenuto answer {named} ANSWER{place}" if call.question else f"sostenuto approve {named}{place}"


def top_up_command(budget: PendingTopUp, run_id: str = "", path: str = "") -> str:
    """Return the command by which a budget is allowed what its next step may take.

    Args:
        budget: The budget.
        run_id: Id of the run, or of one that it is nested in. Default: of the run itself.
        path: Place of the budget, where that has to be said.
    """
    if budget.ledger:
        return f"sostenuto ledger top-up {shlex.quote(budget.ledger)} {least_top_up(budget)}"
    place = f" --path {shlex.quote(path)}" if path else ""
    return f"sostenuto top-up {shlex.quote(run_id or budget.run_id)} {least_top_up(budget)}{place}"


def least_top_up(budget: PendingTopUp) -> str:
    """Return, as it is written, the least that a budget has to be allowed."""
    missing = budget.missing
    written = {
        # Less than a millionth more than that is not enough.
        "usd": f"{math.ceil(missing.usd * 1e6) / 1e6:.6f}".rstrip("0").rstrip("."),
        "tokens": f"tokens={missing.tokens}",
        "turns": f"turns={missing.turns}",
    }
    return written.get(budget.limit, "seconds=600")
