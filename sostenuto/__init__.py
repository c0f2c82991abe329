"""AI agents on Temporal: every decision survives a crash and replays from its history alone.

Importing this loads the contracts at once, and the client (and with it the Temporal SDK) on first use.
"""

from typing import TYPE_CHECKING, Any

from .contracts.agent import Agent
from .contracts.app import App
from .contracts.errors import ModelError, SetupError, SostenutoError, SpecError, ToolError
from .contracts.event import Event
from .contracts.message import FilePart, ImagePart, Message, Role, TextPart
from .contracts.model import Model
from .contracts.run import Result, Status
from .contracts.tool import Effect, Tool, ToolContext, tool
from .contracts.usage import Usage

if TYPE_CHECKING:
    from .clients.client import Client, Run

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "App",
    "Client",
    "Effect",
    "Event",
    "FilePart",
    "ImagePart",
    "Message",
    "Model",
    "ModelError",
    "Result",
    "Role",
    "Run",
    "SetupError",
    "SostenutoError",
    "SpecError",
    "Status",
    "TextPart",
    "Tool",
    "ToolContext",
    "ToolError",
    "Usage",
    "__version__",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name in ("Client", "Run"):
        from .clients import client  # noqa: PLC0415 - loaded on first use

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
