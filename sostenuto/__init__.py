"""AI pipelines and agents on Temporal.

Every decision survives a crash and replays from its history alone.

Importing this loads the contracts at once, and the client (and with it the Temporal SDK) on first use.
"""

from typing import TYPE_CHECKING, Any

from . import loading as _loading  # noqa: F401 - the first, as it says
from .contracts.collection.citation import Citation, Cited, Claim
from .contracts.collection.collection import Collection
from .contracts.collection.document import Document
from .contracts.control.approval import Approval
from .contracts.control.ask_person import AskPerson
from .contracts.control.budget import Ask, Budget, Degrade, Finish, Shorten, Stop
from .contracts.control.ledger import Ledger
from .contracts.control.price import LongPrice, Price
from .contracts.control.reconciliation import Done, NotDone
from .contracts.control.usage import Usage
from .contracts.errors import ChatBusy, ModelError, SetupError, SostenutoError, SpecError, ToolError
from .contracts.guardrails.by_model import Judge, Moderation
from .contracts.guardrails.custom import Custom
from .contracts.guardrails.injection import Injection
from .contracts.guardrails.redacting import Pii, Secrets
from .contracts.guardrails.rules import Rules
from .contracts.guardrails.schema import Schema
from .contracts.mcp import McpServer
from .contracts.memory.conversation import Memory
from .contracts.memory.long_term import LongTerm
from .contracts.message import CitationPart, FilePart, ImagePart, Message, Role, TextPart
from .contracts.model import Model
from .contracts.provider_tool import CodeExecution, FileSearch, Location, McpConnector, WebSearch
from .contracts.specs.agent import Agent
from .contracts.specs.app import App
from .contracts.specs.chain import Chain, Step
from .contracts.specs.parallel import Parallel
from .contracts.specs.prompt import Prompt
from .contracts.specs.retrieve import Retrieve
from .contracts.specs.router import Route, Router, Rule
from .contracts.specs.team import Team
from .contracts.tool import Effect, Tool, ToolContext, tool
from .contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnQueued, TurnStarted
from .contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested, PendingApproval
from .contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from .contracts.wire.control.compensation import CompensatedEffect, Compensation, EffectOutcome
from .contracts.wire.control.ledger import LedgerState
from .contracts.wire.control.top_up import PendingTopUp, ToppedUp
from .contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RetrievalResponded,
    RouteChosen,
    RunFinished,
    RunStalled,
    RunStarted,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from .contracts.wire.feedback.score import Score
from .contracts.wire.guardrails.decision import Verdict
from .contracts.wire.guardrails.guardrail_event import GuardrailDecided
from .contracts.wire.ingest.ingest_event import DocumentFailed, DocumentIngested
from .contracts.wire.live import Partial, Progress, Retract, StreamItem, Token
from .contracts.wire.memory.memory_event import MemoryCompacted, MemoryForgotten, MemoryRecalled, MemoryWritten
from .contracts.wire.retrieval import Passage, Retrieved
from .contracts.wire.run import Result, Status

if TYPE_CHECKING:
    from .clients.client import Chat, Client, Run

__version__ = "0.3.0"

__all__ = [
    "Agent",
    "App",
    "Approval",
    "ApprovalDecided",
    "ApprovalRequested",
    "Ask",
    "AskPerson",
    "Budget",
    "BudgetSpent",
    "BudgetToppedUp",
    "BudgetWarned",
    "Chain",
    "Chat",
    "ChatBusy",
    "ChatStarted",
    "Citation",
    "CitationPart",
    "Cited",
    "Claim",
    "Client",
    "CodeExecution",
    "Collection",
    "CompensatedEffect",
    "Compensation",
    "Custom",
    "Degrade",
    "Document",
    "DocumentFailed",
    "DocumentIngested",
    "Done",
    "Effect",
    "EffectOutcome",
    "Event",
    "FallbackUsed",
    "FilePart",
    "FileSearch",
    "Finish",
    "GuardrailDecided",
    "ImagePart",
    "Injection",
    "Judge",
    "Ledger",
    "LedgerState",
    "Location",
    "LongPrice",
    "LongTerm",
    "McpConnector",
    "McpServer",
    "MemberFinished",
    "MemberStarted",
    "Memory",
    "MemoryCompacted",
    "MemoryForgotten",
    "MemoryRecalled",
    "MemoryWritten",
    "Message",
    "Model",
    "ModelError",
    "ModelRequested",
    "ModelResponded",
    "Moderation",
    "NotDone",
    "Parallel",
    "Partial",
    "Passage",
    "PendingApproval",
    "PendingTopUp",
    "Pii",
    "Price",
    "Progress",
    "Prompt",
    "Result",
    "Retract",
    "RetrievalResponded",
    "Retrieve",
    "Retrieved",
    "Role",
    "Route",
    "RouteChosen",
    "Router",
    "Rule",
    "Rules",
    "Run",
    "RunFinished",
    "RunStalled",
    "RunStarted",
    "Schema",
    "Score",
    "Secrets",
    "SetupError",
    "Shorten",
    "SostenutoError",
    "SpecError",
    "Status",
    "Step",
    "Stop",
    "StreamItem",
    "Team",
    "TextPart",
    "Token",
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolRequested",
    "ToolResponded",
    "ToolsFaulty",
    "ToppedUp",
    "TurnFinished",
    "TurnQueued",
    "TurnStarted",
    "Usage",
    "Verdict",
    "WebSearch",
    "__version__",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name in ("Chat", "Client", "Run"):
        from .clients import client  # noqa: PLC0415 - loaded on first use

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
