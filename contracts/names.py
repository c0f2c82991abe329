"""Durable names, which stand in every history ever written.

Rename the Python, never these strings.
"""

from typing import Final

RUN_WORKFLOW: Final = "SostenutoRun"
"""Workflow type of one execution of a runnable, as versions before 0.3 began it."""

RUN_KINDS: Final = ("agent", "prompt", "retrieve", "chain", "router", "parallel", "team")
"""Kinds of runnables. The workflow type of a run is its kind, a colon and its name, see `run_type`."""

RUN_TYPES_PATCH: Final = "sostenuto_run_types"
"""Marker in the history of a chat or a code-first workflow whose nested runs have their own workflow types."""

CHAT_WORKFLOW: Final = "SostenutoChat"
"""Workflow type of one conversation with a runnable."""

CHAT_SEND_UPDATE: Final = "sostenuto_send"
"""Update by which a chat is told a message. Its id is that of the message, and it is done once that is taken."""

CHAT_INTERRUPT_UPDATE: Final = "sostenuto_interrupt"
CHAT_RENAME_UPDATE: Final = "sostenuto_rename"
CHAT_END_UPDATE: Final = "sostenuto_end"
"""Updates by which a chat's turn under way is cancelled, its title changed, and it is ended."""

TURN_END_ACTIVITY: Final = "sostenuto.turn_end"
"""Activity type that notes the end of a turn of a chat in its history. Does nothing."""

PRICES_ACTIVITY: Final = "sostenuto.prices"
"""Activity type that looks up what models cost, for nested runs that a workflow of one's own starts."""

CHAT_FORK_QUERY: Final = "sostenuto_fork"
"""Query for what a fork of a chat begins with."""

CHAT_TITLE_MEMO: Final = "sostenuto_title"
"""Memo that has the title of a chat."""

CONTEXT_MEMO: Final = "sostenuto_context"
"""Memo that has the context of a run or a chat, as JSON."""

NAMES_CHECKED_PATCH: Final = "sostenuto_names_checked"
"""Patch of code-first workflows: names that nothing fills are refused, as they are of runs that a client starts."""

SHARE_ASKED_SIGNAL: Final = "sostenuto_share_asked"
SHARE_GIVEN_SIGNAL: Final = "sostenuto_share_given"
SHARE_RECALLED_SIGNAL: Final = "sostenuto_share_recalled"
"""Signals by which a nested run asks for more of a budget, or a run for more of a ledger, is answered, and is asked for
what it does not need."""

LEDGER_WORKFLOW: Final = "SostenutoLedger"
"""Workflow type of a ledger."""

LEDGER_ID: Final = "sostenuto-ledger:"
"""What the id of a ledger's workflow begins with. Its name comes after it."""

LEDGER_QUEUE: Final = "sostenuto-ledgers"
"""Task queue of ledgers. Every worker listens there as well: those that share a ledger may be of many apps."""

LEDGER_SET_UPDATE: Final = "sostenuto_ledger_set"
LEDGER_TOP_UP_UPDATE: Final = "sostenuto_ledger_top_up"
"""Updates by which a ledger is given its limits, and is allowed more in this period."""

LEDGER_REFUSED: Final = "LedgerRefused"
"""Type of the failure of what a ledger does not take. Its message says why."""

LEDGER_QUERY: Final = "sostenuto_ledger"
"""Query for what a ledger may spend, holds and has spent."""

LEDGER_ANSWER: Final = "an answer of the ledger "
"""What the summary of a timer begins with that a run has while it waits for a ledger. Its name comes after it."""

LEDGER_OPEN_ACTIVITY: Final = "sostenuto.ledger_open"
"""Activity type that starts a ledger which is not there yet."""

LEDGER_HOLDERS_ACTIVITY: Final = "sostenuto.ledger_holders"
"""Activity type that finds out which runs that have something of a ledger have ended."""

CHAT_BUSY: Final = "ChatBusy"
CHAT_ENDED: Final = "ChatEnded"
CHAT_REFUSED: Final = "ChatRefused"
"""Types of the failures of what a chat does not take: because it is at work, has ended, or cannot do it."""

MODEL_ACTIVITY: Final = "sostenuto.model"
"""Activity type of one model call. A tool's activity type is the tool's own name, which never has a dot."""

APPROVAL_ACTIVITY: Final = "sostenuto.approval"
"""Activity type that says whether a call needs an approval. What it returns is the request for it."""

RECONCILE_ACTIVITY: Final = "sostenuto.reconcile"
"""Activity type that asks a tool what came of a call whose outcome is unknown."""

WORKER_SHUTDOWN: Final = "WorkerShutdown"
"""Type by which the SDK fails what was under way in a worker that stopped."""

SPENT_ACTIVITY: Final = "sostenuto.spent"
"""Activity type that reads what a run spent that ended without telling."""

READ_RESULT_ACTIVITY: Final = "sostenuto.read_result"
"""Activity type that reads from the history of its run what a tool returned, once that has left the prompt."""

UNDOING_ACTIVITY: Final = "sostenuto.undoing"
"""Activity type that says how an effect of a run is undone."""

CANCEL_COMPENSATING: Final = "compensate"
"""Reason of a cancel by which a run undoes what it did."""

CANCEL_UNNEEDED: Final = "no longer needed"
"""Reason of a cancel of a nested run by the run that started it, which goes on: it takes what another one came to."""

OUTCOME_UNKNOWN: Final = "outcome_unknown"
"""First detail of the failure of a tool call of which nobody knows whether it took effect."""

DECIDE_UPDATE: Final = "sostenuto_decide"
"""Update by which a person decides on a call that waits."""

TOP_UP_UPDATE: Final = "sostenuto_top_up"
"""Update by which somebody allows a budget more."""

TOP_UP_REFUSED: Final = "TopUpRefused"
"""Type of the failure of a top-up that is not taken. Its message says why."""

TOP_UPS_MEMO: Final = "sostenuto_top_ups"
"""Memo that has which budgets of a run wait for a top-up, while they do."""

AWAITS_TOP_UP: Final = "top-up"
"""What the search attribute says of a run whose budget waits for a top-up."""

APPROVAL_REFUSED: Final = "ApprovalRefused"
"""Type of the failure of a decision that is not taken. Its message says why."""

AWAITS_APPROVAL: Final = "approval"
"""What the search attribute says of a run in which a call waits for a person."""

MCP_CATALOGUE_ACTIVITY: Final = "sostenuto.mcp_catalogue"
"""Activity type that asks an MCP server for its tools."""

MCP_TOOL_ACTIVITY: Final = "sostenuto.mcp_tool"
"""Activity type of one call of an MCP server's tool."""

ROUTE_ACTIVITY: Final = "sostenuto.route"
"""Activity type of a router's decision."""

RETRIEVE_ACTIVITY: Final = "sostenuto.retrieve"
"""Activity type of a search of a collection."""

INGEST_WORKFLOW: Final = "SostenutoIngest"
"""Workflow type of bringing documents into a collection."""

INGEST_BEGIN_ACTIVITY: Final = "sostenuto.ingest_begin"
INGEST_LIST_ACTIVITY: Final = "sostenuto.ingest_list"
INGEST_DOCUMENT_ACTIVITY: Final = "sostenuto.ingest_document"
INGEST_SHOW_ACTIVITY: Final = "sostenuto.ingest_show"
INGEST_VANISHED_ACTIVITY: Final = "sostenuto.ingest_vanished"
INGEST_FINISH_ACTIVITY: Final = "sostenuto.ingest_finish"
"""Activity types of the steps of an ingest."""

INGEST_PROGRESS_QUERY: Final = "sostenuto_ingest_progress"
"""Query for how far an ingest is."""

COLLECTIONS_WORKFLOW: Final = "SostenutoCollections"
"""Workflow type of a question about collections that no run asks: a list, a search, a drop."""

COLLECTIONS_LIST_ACTIVITY: Final = "sostenuto.collections_list"
COLLECTIONS_DROP_ACTIVITY: Final = "sostenuto.collections_drop"
COLLECTIONS_RESOLVE_ACTIVITY: Final = "sostenuto.collections_resolve"
"""Activity types of what is asked of collections besides a search."""

DOCUMENT_FAILED: Final = "DocumentFailed"
"""Type of the failure of a document that cannot be brought into a collection. Its message says why."""

COLLECTION_FAILED: Final = "CollectionFailed"
"""Type of the failure of what a collection cannot do. Its message says why, and what to do."""

MEMORY_WORKFLOW: Final = "SostenutoMemory"
"""Workflow type of what makes the changes of the memories of a scope, one after the other."""

MEMORY_ID: Final = "sostenuto-memory:"
"""What the id of such a workflow begins with. The collection, `/` and the scope come after it."""

MEMORY_WRITE_UPDATE: Final = "sostenuto_memory_write"
MEMORY_FORGET_UPDATE: Final = "sostenuto_memory_forget"
MEMORY_LIST_UPDATE: Final = "sostenuto_memory_list"
MEMORY_RECALL_UPDATE: Final = "sostenuto_memory_recall"
"""Updates by which memories are written, deleted, listed and looked for. Each is done once that is."""

MEMORY_CLOSES: Final = "MemoryCloses"
"""Type of the failure of an update that comes while its workflow ends: the next one takes it."""

MEMORY_RECALL_ACTIVITY: Final = "sostenuto.memory_recall"
"""Activity type that looks for memories, and finds in what is said what is worth remembering."""

MEMORY_WRITE_ACTIVITY: Final = "sostenuto.memory_write"
MEMORY_FORGET_ACTIVITY: Final = "sostenuto.memory_forget"
"""Activity types by which a run has memories written and deleted, by the workflow that makes all changes of a scope."""

MEMORY_APPLY_ACTIVITY: Final = "sostenuto.memory_apply"
MEMORY_DELETE_ACTIVITY: Final = "sostenuto.memory_delete"
MEMORY_LIST_ACTIVITY: Final = "sostenuto.memory_list"
"""Activity types by which that workflow does so, and reads them."""

SCORE_WORKFLOW: Final = "SostenutoScore"
"""Workflow type of what somebody says of a run."""

UNTOLD_WORKFLOWS: Final = (COLLECTIONS_WORKFLOW, SCORE_WORKFLOW, LEDGER_WORKFLOW, MEMORY_WORKFLOW)
"""Workflow types of ours of which telemetry does not tell: they serve others."""

SCORE_TARGETS_ACTIVITY: Final = "sostenuto.score_targets"
SCORE_SEND_ACTIVITY: Final = "sostenuto.score_send"
"""Activity types that tell where scores are sent, and that send one."""

SCORE_MEMO: Final = "sostenuto_score"
SCORE_SENT_MEMO: Final = "sostenuto_score_sent"
"""Memos that have a score, and what each destination came to."""

SCORE_NOT_TAKEN: Final = "ScoreNotTaken"
"""Type of the failure of sending a score. Its message says why."""

GUARD_ACTIVITY: Final = "sostenuto.guard"
"""Activity type that has guardrails look at a message."""

MODERATION_ACTIVITY: Final = "sostenuto.moderation"
"""Activity type that asks a provider whether a text is harmful."""

TRANSCRIPT_ACTIVITY: Final = "sostenuto.transcript"
"""Activity type that takes over the transcript of another run."""

TRANSCRIPT_QUERY: Final = "sostenuto_transcript"
"""Query by which a model activity pages in the messages that its worker does not have."""

DETAILS_MEMO: Final = "sostenuto_details"
"""Memo that has what a run, a chat or an ingest did, as text: the server shows it without a worker."""

RESULT_MEMO: Final = "sostenuto_result"
"""Memo that has what a cancelled run or chat came to: Temporal's own end of it has no room for that."""

TASK_QUEUE: Final = "sostenuto"
"""Task queue that workers serve and clients start on, where none is named."""

SEARCH_RUNNABLE: Final = "SostenutoRunnable"
"""Keyword search attribute: name of the runnable."""

SEARCH_STATUS: Final = "SostenutoStatus"
"""Keyword search attribute: `running`, then the status of the result."""

SEARCH_TENANT: Final = "SostenutoTenant"
"""Keyword search attribute: whom the run is for."""

SEARCH_AWAITING: Final = "SostenutoAwaiting"
"""Keyword search attribute: what the run waits for."""

SEARCH_COST_USD: Final = "SostenutoCostUsd"
"""Double search attribute: cost of the run in US dollars."""

SEARCH_TOKENS: Final = "SostenutoTokens"
"""Int search attribute: tokens of the run, in and out."""

SEARCH_ATTRIBUTES: Final = {
    SEARCH_RUNNABLE: "Keyword",
    SEARCH_STATUS: "Keyword",
    SEARCH_TENANT: "Keyword",
    SEARCH_AWAITING: "Keyword",
    SEARCH_COST_USD: "Double",
    SEARCH_TOKENS: "Int",
}
"""Every search attribute and its type, by the name that Temporal's command line gives it."""

LOCAL_PROVIDER: Final = "local"
"""Provider name of the embedded model server."""

RUN_FAILED: Final = "RunFailed"
"""Type of the failure that ends a failed run. Its first detail is the partial result."""

NOT_SERVED: Final = "NotServed"
"""Type of the failure of a call that its worker cannot make, and therefore has not begun: another one may."""

PAYLOAD_MISSING: Final = "PayloadMissing"
"""Type of the failure of what needs a payload that is kept outside the history and cannot be read."""

TOOL_FAILED: Final = "ToolFailed"
"""Type of the failure of a tool call. Its message is what the model is told."""


def run_type(kind: str, name: str) -> str:
    """Return the workflow type of runs of a runnable.

    No class has a name with a colon, so no workflow that is somebody's own has the type of a run by chance.
    """
    return f"{kind}:{name}"


def is_of_runnables(kind: str) -> bool:
    """Return whether a workflow type is that of a run or of a chat."""
    return is_run_type(kind) or kind == CHAT_WORKFLOW


def is_run_type(workflow_type: str) -> bool:
    """Return whether a workflow type is that of a run.

    Of a version before 0.3, too.
    """
    kind, colon, name = workflow_type.partition(":")
    return workflow_type == RUN_WORKFLOW or (bool(colon and name) and kind in RUN_KINDS)
