"""Holds back a result that the server would refuse.

Otherwise the call would be repeated, and paid for, again and again.
"""

from __future__ import annotations

from temporalio import activity

from ...contracts import limits
from ...contracts.contract import Contract


def reason_not_to_return(result: Contract, what: str) -> str:
    """Return why a result cannot be sent; empty where it can.

    Args:
        result: What the activity is to return.
        what: What it is called in the reason.
    """
    reason = limits.why_too_large(result, what)
    if not reason:
        return ""
    storage = activity.client().data_converter.external_storage
    if storage is not None and storage.payload_size_threshold < limits.NEVER_BYTES:
        return ""
    return f"{reason}: {limits.HOW_TO_KEEP_OUTSIDE}"
