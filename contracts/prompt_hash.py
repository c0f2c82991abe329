"""The hash that proves that a prompt rebuilt from the history was the one sent.

A chain over the transcript, so that each call hashes only what is new: `chain_start` takes the head,
`chain_link` one message at a time, and `prompt_hash` closes the chain for one model call. Values are hashed in
their wire form.
"""

from __future__ import annotations

from hashlib import sha256

from .head import Head
from .message import Message
from .model import Model


def chain_start(head: Head) -> tuple[str, int]:
    """Return the chain's value before the first message, and the bytes hashed."""
    written = head.model_dump_json().encode()
    return sha256(written).hexdigest(), len(written)


def chain_link(chain: str, message: Message) -> tuple[str, int]:
    """Return the chain's value after one more message, and the bytes hashed."""
    written = message.model_dump_json().encode()
    return sha256(chain.encode() + written).hexdigest(), len(written)


def prompt_hash(chain: str, model: Model) -> str:
    """Return the hash of a prompt: of its chain and of the model that it was sent to."""
    return sha256(chain.encode() + model.model_dump_json(exclude={"fallbacks"}).encode()).hexdigest()


def part_digest(written: bytes) -> str:
    """Return 16 characters that tell a part's JSON from any other version of it."""
    return sha256(written).hexdigest()[:16]
