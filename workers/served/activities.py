"""The activities that a worker serves, made of what its app and the worker have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...activities.answer.answer_check import OutputValidator
from ...activities.call.bill import Costs
from ...activities.call.given.resources import Resources
from ...activities.call.given.run_context import RunContexts
from ...activities.call.live import Live
from ...activities.call.user_code import UserCode
from ...activities.control.approval import ApprovalActivities
from ...activities.control.ledgers import LedgerActivities
from ...activities.control.reconcile import ReconcileActivities
from ...activities.control.spending import SpendingActivities
from ...activities.control.undoing import UndoingActivities
from ...activities.conversation.continued_conversation import take_over
from ...activities.conversation.turn_end import turn_end
from ...activities.guardrails.guard import GuardActivities
from ...activities.guardrails.moderation import ModerationActivities
from ...activities.guardrails.screening import Guards
from ...activities.knowledge.ingest import IngestActivities
from ...activities.knowledge.ingestion import DocumentReading, Ingestion
from ...activities.knowledge.retrieve import RetrieveActivities
from ...activities.knowledge.search import Knowledge
from ...activities.mcp import McpActivities
from ...activities.mcp_session import McpSession
from ...activities.memory.read_result import ReadResultActivities
from ...activities.memory.remembering import MemoryActivities
from ...activities.model import ModelActivities
from ...activities.model_adapter import ModelAdapter
from ...activities.not_served import not_served
from ...activities.prices.list_price import list_price
from ...activities.prices.look_up import PriceActivities
from ...activities.prices.price import PriceList
from ...activities.routing.embedding import Embedder
from ...activities.routing.route import RouteActivities
from ...activities.score import ScoreActivities, ScoreTaker
from ...activities.tool import tool_activities
from ...activities.transcript_cache import TranscriptCache
from ...contracts.specs.app import App
from ...history.reading.results import read_result
from ...history.reading.spending import read_spent
from ...workflows import policy


@dataclass(frozen=True, slots=True)
class Services:
    """What some runnables need of a worker beyond models and functions."""

    embedder: Embedder | None = None
    """Compares meanings, for routers."""
    mcp: Mapping[str, McpSession] = field(default_factory=dict)
    """Sessions with the app's MCP servers, see `workers.mcp`."""
    knowledge: Knowledge | None = None
    """Where its collections are, see `workers.knowledge`."""
    reading: DocumentReading | None = None
    """What reads documents for them."""
    live: Live | None = None
    """Tells those who watch what calls say."""
    cache: TranscriptCache = field(default_factory=TranscriptCache)
    """Its memory of transcripts."""
    scores: Mapping[str, ScoreTaker] = field(default_factory=dict)
    """What takes scores, see `workers.telemetry.sending.score_takers`."""


def served_activities(
    app: App,
    adapters: Mapping[str, ModelAdapter],
    price: PriceList,
    services: Services,
    user: UserCode,
    resources: Resources,
    guards: Guards,
) -> list[Callable[..., Any]]:
    """Return the activities of a worker, of what its app and it have."""
    cache = services.cache
    contexts = RunContexts(app.context)
    validator, live = OutputValidator(app.walk(), app.validators, user=user), services.live
    model = ModelActivities(
        adapters,
        price=price,
        cache=cache,
        validator=validator,
        user=user,
        servers=app.mcp,
        live=live,
        contexts=contexts,
        guards=guards,
    )
    mcp = McpActivities(services.mcp, cache, contexts, guards)
    route = RouteActivities(services.embedder, price)
    costs = Costs(price, user)
    retrieve = RetrieveActivities(services.knowledge, app.collections, cache, costs, guards)
    ingest = IngestActivities(_ingestion(app, services, user), costs)
    return [
        model.call,
        *_methods(mcp),
        ApprovalActivities(app.tools, app.approvals, app.mcp, user).ask,
        ReconcileActivities(app.tools, user, guards).ask,
        SpendingActivities(read_spent).spent,
        ReadResultActivities(read_result).read_result,
        LedgerActivities(read_spent, policy.TASK_TIMEOUT).open,
        UndoingActivities(app.tools).ask,
        route.decide,
        *_methods(retrieve),
        *_methods(ingest),
        *_methods(MemoryActivities(services.knowledge, app.collections, cache, costs, policy.TASK_TIMEOUT)),
        *_methods(ScoreActivities(services.scores)),
        *(GuardActivities(guards).guard, ModerationActivities(adapters).moderate),
        take_over,
        turn_end,
        PriceActivities(list_price).look_up,
        not_served,
        *tool_activities(app.tools.values(), cache, user, live, contexts, resources, guards),
    ]


def _ingestion(app: App, services: Services, user: UserCode) -> Ingestion | None:
    if services.knowledge is None or services.reading is None:
        return None
    return Ingestion(services.knowledge, app.collections, services.reading, user)


def _methods(holder: object) -> list[Callable[..., Any]]:
    """Return the activities that an object has as methods, by their names."""
    methods = (getattr(holder, name) for name in sorted(dir(type(holder))) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
