"""Holds back a result that the server would refuse: the call would be repeated, and paid for, again and again."""

from __future__ import annotations

from pydantic_core import to_json
from temporalio import activity

from ...contracts.contract import MAX_PAYLOAD_BYTES, Contract


def too_large(result: Contract, what: str) -> str:
    """Why a result cannot be sent; empty where it can.

    Args:
        result: What the activity is to return.
        what: What it is called in the reason.
    """
    size = len(to_json(result))
    if size <= MAX_PAYLOAD_BYTES or activity.client().data_converter.external_storage is not None:
        return ""
    return (
        f"{what} has {size:,} bytes, and at most {MAX_PAYLOAD_BYTES:,} can be sent: set SOSTENUTO_PAYLOAD_DIR for "
        "client and workers to keep large payloads outside the history"
    )
