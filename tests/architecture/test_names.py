"""Names that stand in histories or in people's code: frozen here in a second copy, so that a change is a decision."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import sostenuto
from sostenuto import Effect, Role, Status
from sostenuto.connection.payload_store import DirectoryStore
from sostenuto.contracts import message, names, provider_tool
from sostenuto.contracts.collection.citation import Attribution
from sostenuto.contracts.errors import MODEL_ERRORS
from sostenuto.contracts.guardrails import any_guardrail, guardrail
from sostenuto.contracts.mcp import APPROVAL_CLASSES
from sostenuto.contracts.specs import parallel, router, runnable, team
from sostenuto.contracts.specs.agent_tools import TASK, TRANSFER
from sostenuto.contracts.template import INPUT
from sostenuto.contracts.wire import event
from sostenuto.contracts.wire.chats.chat import WhenBusy
from sostenuto.contracts.wire.control.approval_event import DecisionOutcome
from sostenuto.contracts.wire.control.decision import DecisionKind
from sostenuto.contracts.wire.guardrails import decision
from sostenuto.contracts.wire.model_call import StopReason

DURABLE = {
    "RUN_WORKFLOW": "SostenutoRun",
    "RUN_KINDS": ("agent", "prompt", "retrieve", "chain", "router", "parallel", "team"),
    "RUN_TYPES_PATCH": "sostenuto_run_types",
    "CHAT_WORKFLOW": "SostenutoChat",
    "CHAT_SEND_UPDATE": "sostenuto_send",
    "CHAT_INTERRUPT_UPDATE": "sostenuto_interrupt",
    "CHAT_RENAME_UPDATE": "sostenuto_rename",
    "CHAT_END_UPDATE": "sostenuto_end",
    "TURN_END_ACTIVITY": "sostenuto.turn_end",
    "PRICES_ACTIVITY": "sostenuto.prices",
    "CHAT_FORK_QUERY": "sostenuto_fork",
    "CHAT_TITLE_MEMO": "sostenuto_title",
    "CONTEXT_MEMO": "sostenuto_context",
    "NAMES_CHECKED_PATCH": "sostenuto_names_checked",
    "SHARE_ASKED_SIGNAL": "sostenuto_share_asked",
    "SHARE_GIVEN_SIGNAL": "sostenuto_share_given",
    "CHAT_BUSY": "ChatBusy",
    "CHAT_ENDED": "ChatEnded",
    "CHAT_REFUSED": "ChatRefused",
    "MODEL_ACTIVITY": "sostenuto.model",
    "GUARD_ACTIVITY": "sostenuto.guard",
    "MODERATION_ACTIVITY": "sostenuto.moderation",
    "APPROVAL_ACTIVITY": "sostenuto.approval",
    "RECONCILE_ACTIVITY": "sostenuto.reconcile",
    "WORKER_SHUTDOWN": "WorkerShutdown",
    "SPENT_ACTIVITY": "sostenuto.spent",
    "READ_RESULT_ACTIVITY": "sostenuto.read_result",
    "UNDOING_ACTIVITY": "sostenuto.undoing",
    "CANCEL_COMPENSATING": "compensate",
    "CANCEL_UNNEEDED": "no longer needed",
    "OUTCOME_UNKNOWN": "outcome_unknown",
    "DECIDE_UPDATE": "sostenuto_decide",
    "APPROVAL_REFUSED": "ApprovalRefused",
    "AWAITS_APPROVAL": "approval",
    "SHARE_RECALLED_SIGNAL": "sostenuto_share_recalled",
    "LEDGER_WORKFLOW": "SostenutoLedger",
    "LEDGER_ID": "sostenuto-ledger:",
    "LEDGER_SET_UPDATE": "sostenuto_ledger_set",
    "LEDGER_TOP_UP_UPDATE": "sostenuto_ledger_top_up",
    "LEDGER_REFUSED": "LedgerRefused",
    "LEDGER_QUERY": "sostenuto_ledger",
    "LEDGER_QUEUE": "sostenuto-ledgers",
    "LEDGER_ANSWER": "an answer of the ledger ",
    "LEDGER_OPEN_ACTIVITY": "sostenuto.ledger_open",
    "LEDGER_HOLDERS_ACTIVITY": "sostenuto.ledger_holders",
    "TOP_UP_UPDATE": "sostenuto_top_up",
    "TOP_UP_REFUSED": "TopUpRefused",
    "TOP_UPS_MEMO": "sostenuto_top_ups",
    "AWAITS_TOP_UP": "top-up",
    "MCP_CATALOGUE_ACTIVITY": "sostenuto.mcp_catalogue",
    "MCP_TOOL_ACTIVITY": "sostenuto.mcp_tool",
    "ROUTE_ACTIVITY": "sostenuto.route",
    "RETRIEVE_ACTIVITY": "sostenuto.retrieve",
    "INGEST_WORKFLOW": "SostenutoIngest",
    "INGEST_BEGIN_ACTIVITY": "sostenuto.ingest_begin",
    "INGEST_LIST_ACTIVITY": "sostenuto.ingest_list",
    "INGEST_DOCUMENT_ACTIVITY": "sostenuto.ingest_document",
    "INGEST_SHOW_ACTIVITY": "sostenuto.ingest_show",
    "INGEST_VANISHED_ACTIVITY": "sostenuto.ingest_vanished",
    "INGEST_FINISH_ACTIVITY": "sostenuto.ingest_finish",
    "INGEST_PROGRESS_QUERY": "sostenuto_ingest_progress",
    "COLLECTIONS_WORKFLOW": "SostenutoCollections",
    "COLLECTIONS_LIST_ACTIVITY": "sostenuto.collections_list",
    "COLLECTIONS_DROP_ACTIVITY": "sostenuto.collections_drop",
    "COLLECTIONS_RESOLVE_ACTIVITY": "sostenuto.collections_resolve",
    "DOCUMENT_FAILED": "DocumentFailed",
    "COLLECTION_FAILED": "CollectionFailed",
    "MEMORY_WORKFLOW": "SostenutoMemory",
    "MEMORY_ID": "sostenuto-memory:",
    "MEMORY_WRITE_UPDATE": "sostenuto_memory_write",
    "MEMORY_FORGET_UPDATE": "sostenuto_memory_forget",
    "MEMORY_LIST_UPDATE": "sostenuto_memory_list",
    "MEMORY_RECALL_UPDATE": "sostenuto_memory_recall",
    "MEMORY_CLOSES": "MemoryCloses",
    "MEMORY_RECALL_ACTIVITY": "sostenuto.memory_recall",
    "MEMORY_WRITE_ACTIVITY": "sostenuto.memory_write",
    "MEMORY_FORGET_ACTIVITY": "sostenuto.memory_forget",
    "MEMORY_APPLY_ACTIVITY": "sostenuto.memory_apply",
    "MEMORY_DELETE_ACTIVITY": "sostenuto.memory_delete",
    "MEMORY_LIST_ACTIVITY": "sostenuto.memory_list",
    "SCORE_WORKFLOW": "SostenutoScore",
    "UNTOLD_WORKFLOWS": ("SostenutoCollections", "SostenutoScore", "SostenutoLedger", "SostenutoMemory"),
    "SCORE_TARGETS_ACTIVITY": "sostenuto.score_targets",
    "SCORE_SEND_ACTIVITY": "sostenuto.score_send",
    "SCORE_MEMO": "sostenuto_score",
    "SCORE_SENT_MEMO": "sostenuto_score_sent",
    "SCORE_NOT_TAKEN": "ScoreNotTaken",
    "TRANSCRIPT_ACTIVITY": "sostenuto.transcript",
    "TRANSCRIPT_QUERY": "sostenuto_transcript",
    "DETAILS_MEMO": "sostenuto_details",
    "RESULT_MEMO": "sostenuto_result",
    "TASK_QUEUE": "sostenuto",
    "SEARCH_RUNNABLE": "SostenutoRunnable",
    "SEARCH_STATUS": "SostenutoStatus",
    "SEARCH_TENANT": "SostenutoTenant",
    "SEARCH_AWAITING": "SostenutoAwaiting",
    "SEARCH_COST_USD": "SostenutoCostUsd",
    "SEARCH_TOKENS": "SostenutoTokens",
    "SEARCH_ATTRIBUTES": {
        "SostenutoRunnable": "Keyword",
        "SostenutoStatus": "Keyword",
        "SostenutoTenant": "Keyword",
        "SostenutoAwaiting": "Keyword",
        "SostenutoCostUsd": "Double",
        "SostenutoTokens": "Int",
    },
    "LOCAL_PROVIDER": "local",
    "RUN_FAILED": "RunFailed",
    "NOT_SERVED": "NotServed",
    "PAYLOAD_MISSING": "PayloadMissing",
    "TOOL_FAILED": "ToolFailed",
}

PUBLIC = {
    *("Agent", "App", "Chain", "Client", "Effect", "Event", "FilePart", "ImagePart", "McpServer", "Message", "Model"),
    *("ModelError", "Parallel", "Passage", "Prompt", "Result", "Role", "Route", "Router", "Rule", "Run", "SetupError"),
    *("SostenutoError", "SpecError", "Status", "Step", "Team", "TextPart", "Tool", "ToolContext", "ToolError", "Usage"),
    *(
        "__version__",
        "tool",
        "Custom",
        "GuardrailDecided",
        "Injection",
        "Judge",
        "Moderation",
        "Pii",
        "Rules",
        "Schema",
    ),
    *("Secrets", "Verdict"),
    *("Ask", "BudgetToppedUp", "PendingTopUp", "ToppedUp"),
    *("Ledger", "LedgerState"),
    *("Memory", "MemoryCompacted", "Shorten"),
    *("LongTerm", "MemoryForgotten", "MemoryRecalled", "MemoryWritten"),
    *("Budget", "BudgetSpent", "BudgetWarned", "Degrade", "Finish", "LongPrice", "Price", "Stop"),
    *("CitationPart", "CodeExecution", "FileSearch", "Location", "McpConnector", "WebSearch"),
    *("Citation", "Cited", "Claim", "Document"),
    *(
        "Collection",
        "FallbackUsed",
        "MemberFinished",
        "MemberStarted",
        "ModelRequested",
        "ModelResponded",
        "RouteChosen",
    ),
    *(
        "RetrievalResponded",
        "Retrieve",
        "Retrieved",
        "RunFinished",
        "RunStalled",
        "RunStarted",
        "ToolRequested",
        "ToolResponded",
        "ToolsFaulty",
        *("Partial", "Progress", "Retract", "StreamItem", "Token"),
        *("Chat", "ChatBusy", "ChatStarted", "TurnFinished", "TurnQueued", "TurnStarted"),
        *("DocumentFailed", "DocumentIngested", "Score"),
        *("CompensatedEffect", "Compensation", "EffectOutcome"),
        *("Approval", "ApprovalDecided", "ApprovalRequested", "AskPerson", "Done", "NotDone", "PendingApproval"),
    ),
}


def test_durable_names() -> None:
    """They stand in every history ever written. Add to the copy; never change what is in it."""
    assert {name: value for name, value in vars(names).items() if name.isupper()} == DURABLE


def test_workflow_types_of_runs() -> None:
    assert names.run_type("agent", "support") == "agent:support"
    ours = ("SostenutoRun", "agent:support", *(names.run_type(kind, "a") for kind in names.RUN_KINDS))
    assert all(map(names.is_run_type, ours))
    others = ("SostenutoChat", "Report", "agent", "agent:", "orchestra:a", "Agent:a", "run:agent:a", "")
    assert not any(map(names.is_run_type, others))


def test_durable_values() -> None:
    assert set(MODEL_ERRORS) == {
        *("RateLimited", "Overloaded", "ProviderUnavailable", "Timeout", "ContextOverflow", "ContentFiltered"),
        *("QuotaExceeded", "InvalidRequest", "AuthenticationFailed", "UnreadableAnswer"),
    }
    assert [status.value for status in Status] == ["completed", "refused", "exhausted", "cancelled", "failed"]
    assert [effect.value for effect in Effect] == ["read", "idempotent", "once"]
    assert [role.value for role in Role] == ["user", "assistant", "tool"]
    assert [attribution.value for attribution in Attribution] == ["model", "similarity"]
    assert [stop.value for stop in StopReason] == ["end", "tool_calls", "length", "refusal", "interrupted"]
    assert [kind.value for kind in DecisionKind] == ["approve", "deny", "edit", "answer"]
    assert get_args(DecisionOutcome) == ("approve", "deny", "edit", "answer", "expired", "withdrawn")
    assert APPROVAL_CLASSES == ("once", "write", "destructive", "all")
    assert [one.value for one in WhenBusy] == ["queue", "interrupt", "reject"]


def test_discriminators() -> None:
    parts = get_args(get_args(message.Part)[0])
    assert [part.model_fields["kind"].default for part in parts] == [
        *("text", "image", "file", "tool_call", "tool_result", "reasoning", "citation", "opaque", "ref")
    ]
    events = get_args(get_args(event.Event)[0])
    assert [kind.model_fields["type"].default for kind in events] == [
        *("run.started", "model.requested", "model.responded", "tool.requested", "tool.responded"),
        *("retrieval.responded", "document.ingested", "document.failed", "fallback.used"),
        *("route.chosen", "member.started", "member.finished", "run.stalled", "run.finished", "tools.faulty"),
        *("chat.started", "turn.queued", "turn.started", "turn.finished"),
        *("approval.requested", "approval.decided", "budget.warned", "budget.spent", "budget.topped_up"),
        "memory.compacted",
        *("memory.recalled", "memory.written", "memory.forgotten", "guardrail.decided"),
    ]
    guardrails = get_args(get_args(any_guardrail.AnyGuardrail)[0])
    assert [kind.model_fields["kind"].default for kind in guardrails] == [
        *("pii", "secrets", "injection", "rules", "schema", "custom", "judge", "moderation")
    ]
    hosted = get_args(get_args(provider_tool.AnyProviderTool)[0])
    assert [kind.model_fields["kind"].default for kind in hosted] == list(provider_tool.PROVIDER_TOOLS)
    assert provider_tool.PROVIDER_TOOLS == ("web_search", "code_execution", "file_search", "mcp_connector")
    kinds = get_args(get_args(runnable.Runnable)[0])
    assert [kind.model_fields["kind"].default for kind in kinds] == [
        *("agent", "prompt", "retrieve", "chain", "router", "parallel", "team")
    ]
    assert [kind.model_fields["kind"].default for kind in kinds] == list(names.RUN_KINDS)


def test_options_of_runnables() -> None:
    """Specs with these words stand in histories, and in people's code."""
    assert get_args(guardrail.GuardStage) == ("input", "output", "tool_call", "tool_result", "passages")
    assert get_args(guardrail.OnFailure) == ("block", "redact", "retry", "escalate", "flag")
    assert get_args(guardrail.OnError) == ("closed", "open")
    assert [*decision.Verdict] == ["passed", "redacted", "blocked", "rejected", "escalated", "flagged"]
    assert get_args(router.Strategy) == ("model", "embedding", "rules", "complexity")
    assert get_args(parallel.Join) == ("all", "first", "vote")
    assert get_args(team.Style) == ("delegate", "handoff", "debate", "plan")
    assert (INPUT, TASK, TRANSFER) == ("input", "task", "transfer_to_")


def test_the_payload_store_is_found_again(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    assert (store.name(), store.type()) == ("sostenuto-directory", "sostenuto-directory")


def test_public_names() -> None:
    assert set(sostenuto.__all__) == PUBLIC
    assert all(getattr(sostenuto, name) is not None for name in PUBLIC)


def test_a_name_that_is_not_there() -> None:
    assert not hasattr(sostenuto, "Agnet")
