"""The hash that proves a prompt rebuilt from the history to be the one that was sent.

A chain over the transcript, so that each call hashes only what is new: `link` starts from the head and takes one
message at a time; `prompt_hash` closes the chain for one model call. Values are hashed in their wire form.
"""

from __future__ import annotations

from hashlib import sha256

from .message import Message
from .model import Head, Model


def chain_start(head: Head) -> str:
    """The chain's value before the first message."""
    return sha256(head.model_dump_json().encode()).hexdigest()


def chain_link(chain: str, message: Message) -> str:
    """The chain's value after one more message."""
    return sha256(chain.encode() + message.model_dump_json().encode()).hexdigest()


def prompt_hash(chain: str, model: Model) -> str:
    """The hash of a prompt: of everything in the chain and the model that it was sent to."""
    return sha256(chain.encode() + model.model_dump_json(exclude={"fallbacks"}).encode()).hexdigest()
