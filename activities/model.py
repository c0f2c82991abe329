"""The model call.

Knows no provider: adapters are built by workers and handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ..contracts import names
from ..contracts.control.usage import Usage
from ..contracts.errors import InvalidRequest, ModelError, SpecError
from ..contracts.head import Head
from ..contracts.mcp import McpServer
from ..contracts.message import Message, OpaquePart, PartRef
from ..contracts.model import Model
from ..contracts.prompt_hash import part_digest, prompt_hash
from ..contracts.provider_tool import McpConnector
from ..contracts.text import encodable
from ..contracts.wire.model_call import ModelCall, ModelReply, StopReason
from ..contracts.wire.places import root_run_id
from ..contracts.wire.transcript import TranscriptPage, TranscriptQuery
from .answer.answer_check import OutputValidator
from .answer.said_message import with_json_alone, with_own_ids, writable
from .call.bill import Costs
from .call.failure import failure
from .call.given.run_context import ContextUnreadable, RunContext, RunContexts
from .call.heartbeat import heartbeats
from .call.interrupted import or_interrupted
from .call.live import Live
from .call.model_failure import after_answer, model_failure, under_budget
from .call.own_workflow_query import query_own_run
from .call.payload_size import reason_not_to_return
from .call.user_code import UserCode
from .guardrails.guarded_reply import GuardedReply
from .guardrails.screening import Guards
from .model_adapter import Completion, ModelAdapter, ModelRequest, OnDelta, window_of
from .not_served import NotServedError, cannot
from .prices.price import Charge, PriceList
from .refusals import completed
from .transcript_cache import Prefix, TranscriptCache

# Least time for validators, of the grace that the activity has over the model's own timeout.
_LEAST_CHECK = timedelta(seconds=5)
# An answer that was cut at an adapter's own limit is asked for again with more room, up to so many times that limit.
_MORE_ROOM = 4
_MOST_ROOM = 16


class ModelActivities:
    """The model calls of every provider that this worker has an adapter for."""

    def __init__(
        self,
        adapters: Mapping[str, ModelAdapter],
        *,
        price: PriceList,
        cache: TranscriptCache,
        validator: OutputValidator,
        user: UserCode,
        servers: Mapping[str, McpServer] | None = None,
        live: Live | None = None,
        contexts: RunContexts | None = None,
        guards: Guards | None = None,
    ) -> None:
        self._guards = guards or Guards()
        self._contexts = contexts or RunContexts()
        self._adapters = adapters
        self._live = live or Live()
        self._costs = Costs(price, user)
        self._cache = cache
        self._validator = validator
        self._servers = servers or {}

    @activity.defn(name=names.MODEL_ACTIVITY)
    async def call(self, call: ModelCall) -> ModelReply:
        """Put the transcript together, send it to the model, and return the answer.

        Repeatable: a repeated call costs its tokens again and changes nothing else. Raises the `ModelError`s as
        failures of their class name, of which only the retryable ones are retried, after the delay that the provider
        named; what else an adapter raises is a bug and not retried. Heartbeats on its own. Costs what is charged.
        """
        started = asyncio.get_running_loop().time()
        async with heartbeats() as report:
            paid = _paid_before()
            report({_PAID: paid} if paid else None)
            prefix = await self._transcript(call)
            model = call.instead or prefix.head.model.choices[call.choice]
            try:
                context = await self._contexts.own(is_there=call.context)
                guarded = self._guarded(call, prefix)
                self._validator.check(prefix.head, context)
                request = _request(prefix, model, call, self._connected(prefix.head, context))
                with self._live.model_call(model, structured=request.output is not None) as said:
                    # A summary is no part of what the run says.
                    on_delta = None if call.summary else _shown(said, guarded, request)
                    ask = partial(completed, self._adapter(model), request)
                    # Of an answer in JSON a part is none.
                    keeps = call.keep and request.output is None
                    found = or_interrupted(ask, on_delta, model) if keeps else ask(on_delta)
                    completion, missing = await found
                reply = await self._reply(call, prefix, completion, started, missing, context, guarded)
                if reason := reason_not_to_return(reply, "the answer"):
                    raise after_answer(InvalidRequest(reason))
                whole = prefix.extended((reply.message,))
            except NotServedError as error:
                raise await cannot(f"{model.name}: {error}") from None
            except ContextUnreadable as error:
                raise failure(error, str(error), kind=type(error).__name__, retryable=error.may_pass) from None
            except ModelError as error:
                if error.paid:
                    paid += 1
                    # The next attempt is told, whichever worker makes it.
                    activity.heartbeat({_PAID: paid})
                left = call.choice + 1 < len(prefix.head.model.choices) and call.instead is None
                took = timedelta(seconds=asyncio.get_running_loop().time() - started)
                failed = model_failure(error, model, took, paid, fallback_left=left)
                raise under_budget(error, failed) if call.allowance else failed from None
            except Exception as error:  # noqa: BLE001 - a bug of ours, and each attempt may have been paid for
                message = f"{model.name}: {error}"
                raise failure(error, message, kind=type(error).__name__, retryable=False) from None
        if not call.summary:
            self._cache.put_prefix(reply.id, whole, replaces=call.after)
        return reply

    def _guarded(self, call: ModelCall, prefix: Prefix) -> GuardedReply | None:
        """Return what its answer goes through; None where nothing is to be looked at.

        Raises:
            NotServedError: This worker lacks something that a guardrail takes.
        """
        scope = root_run_id(activity.info().workflow_id or "")
        guarded = GuardedReply(self._guards, prefix.head.guardrails, scope, is_summary=call.summary)
        guarded.check()
        return None if guarded.is_idle else guarded

    def _connected(self, head: Head, context: RunContext) -> dict[str, McpServer]:
        """Return the MCP servers that the model's provider is to connect to itself."""
        wanted = [tool.server for tool in head.provider_tools if isinstance(tool, McpConnector)]
        if missing := next((name for name in wanted if name not in self._servers), ""):
            raise NotServedError(
                f"this worker has no MCP server {missing!r}: pass App(mcp={{{missing!r}: McpServer(…)}})"
            )
        try:
            return {name: self._servers[name].with_context(name, context.values) for name in wanted}
        except SpecError as error:
            raise InvalidRequest(str(error)) from None

    def _adapter(self, model: Model) -> ModelAdapter:
        if model.provider not in self._adapters:
            known = ", ".join(sorted(self._adapters)) or "none"
            raise NotServedError(
                f"this worker has no provider {model.provider!r} (it has: {known}): "
                f"name it in the worker's settings under [providers.{model.provider}]"
            )
        return self._adapters[model.provider]

    async def _transcript(self, call: ModelCall) -> Prefix:
        if call.base == 0 and call.head is not None:
            prefix: Prefix | None = Prefix.start(call.head)
        else:
            prefix = self._cache.prefix(call.after)
            if prefix and (call.compactions or call.summary):
                prefix = prefix.shortened(call.compactions, call.base if call.summary else None)
        if prefix is None or len(prefix.messages) != call.base:
            head, messages = await _fetch(call.transcript, 0, call.base)
            prefix = Prefix.start(head or _no_head(call)).extended(messages)
        return prefix.extended(await self._resolved(call))

    async def _resolved(self, call: ModelCall) -> tuple[Message, ...]:
        """Return the tail with the parts that the history was not to repeat."""
        execution = activity.info().workflow_run_id or ""
        messages = []
        for index, message in enumerate(call.tail):
            parts = [self._known(execution, part) if isinstance(part, PartRef) else part for part in message.parts]
            if any(isinstance(part, PartRef) for part in parts):
                position = call.base + index
                _, fetched = await _fetch(call.transcript, position, position + 1)
                parts = list(fetched[0].parts)
            messages.append(message.model_copy(update={"parts": tuple(parts)}))
        return tuple(messages)

    def _known(self, execution: str, ref: PartRef) -> object:
        key = ref.call_id or ref.search_id
        known = self._cache.part(execution, key) if key else None
        # An attempt that the server gave up on may have left another result here than the history has.
        return known if known and part_digest(known.model_dump_json().encode()) == ref.digest else ref

    async def _reply(
        self,
        call: ModelCall,
        prefix: Prefix,
        completion: Completion,
        started: float,
        missing: tuple[str, ...],
        context: RunContext,
        guarded: GuardedReply | None,
    ) -> ModelReply:
        model = call.instead or prefix.head.model.choices[call.choice]
        message = writable(with_own_ids(completion.message, call.left + len(prefix.messages)))
        if prefix.head.output is not None and not call.summary:
            message = with_json_alone(message)
        wrong: tuple[str, ...] = ()
        if not (message.tool_calls or call.summary) and completion.stop is not StopReason.INTERRUPTED:
            left = model.timeout - timedelta(seconds=asyncio.get_running_loop().time() - started)
            refused = completion.stop is StopReason.REFUSAL
            wrong = await self._validator.problems(
                prefix.head, message.text, limit=max(left, _LEAST_CHECK), refused=refused, context=context
            )
            # What has no place among our parts may be the answer, such as a picture.
            if not message.text.strip() and any(isinstance(p, OpaquePart) and not p.tool for p in message.parts):
                wrong = ()
        ended = completion.stop is StopReason.LENGTH
        cut = ended and bool(wrong)
        if cut:
            wrong = (_cut_at(model),)
        short = cut or (ended and any(called.malformed for called in message.tool_calls))
        used = completion.usage if completion.usage_known else None
        cost = await self._cost(model, completion.model, used)
        reply = ModelReply(
            id=uuid4().hex[:16],
            message=message,
            model=f"{model.provider}/{encodable(completion.model)}",
            usage=completion.usage,
            cost_usd=cost,
            stop=completion.stop,
            note=encodable(completion.note),
            room=min(call.room * _MORE_ROOM, _MOST_ROOM) if short and completion.more_room else call.room,
            final=short and (not completion.more_room or call.room >= _MOST_ROOM),
            prompt_hash=prompt_hash(prefix.chain, model),
            output_errors=wrong,
            request_id=encodable(completion.request_id),
            without=missing,
            attribution=completion.attribution,
            windows=self._windows(prefix.head, model) if call.windows else {},
        )
        return await guarded.reply(reply) if guarded else reply

    def _windows(self, head: Head, model: Model) -> dict[str, int]:
        """Return how many tokens the model takes, and those that may take its place."""
        known = ((one.name, window_of(self._adapters.get(one.provider), one)) for one in (model, *head.model.choices))
        return {name: tokens for name, tokens in known if tokens}

    async def _cost(self, model: Model, name: str, usage: Usage | None) -> float | None:
        """Return US dollars for a call, by the model's own price where it has one."""
        if model.price and usage is not None:
            return model.price.of(usage)
        return await self._costs.of(Charge(model.provider, name, usage))


def _shown(said: OnDelta | None, guarded: GuardedReply | None, request: ModelRequest) -> OnDelta | None:
    """Return what is told the pieces of an answer; None where nobody is."""
    return guarded.stream(said, structured=request.output is not None) if guarded else said


def _request(prefix: Prefix, model: Model, call: ModelCall, servers: Mapping[str, McpServer]) -> ModelRequest:
    head, answers_alone = prefix.head, call.last or call.summary
    return ModelRequest(
        model=model,
        instructions=head.instructions,
        messages=prefix.messages,
        tools=() if answers_alone else head.tools,
        output=None if call.summary else head.output,
        without=frozenset(call.without),
        tool_choice="" if answers_alone else call.tool_choice,
        parallel_tool_calls=head.parallel_tool_calls,
        room=call.room,
        output_tokens=call.allowance.output_tokens if call.allowance else None,
        provider_tools=() if answers_alone else head.provider_tools,
        servers=servers,
        replies_left=call.replies_left,
    )


def _cut_at(model: Model) -> str:
    if model.max_output_tokens:
        return f"it was cut at its limit of {model.max_output_tokens:,} tokens: raise max_output_tokens of the model"
    return "it was cut at the provider's limit of tokens: set max_output_tokens of the model, or ask for less"


_PAID = "paid"


def _paid_before() -> int:
    """Return how many earlier attempts broke off in the middle of an answer."""
    details = activity.info().heartbeat_details
    said = details[0] if details else None
    return said.get(_PAID, 0) if isinstance(said, dict) else 0


async def _fetch(transcript: str, start: int, stop: int) -> tuple[Head | None, tuple[Message, ...]]:
    """Page messages in from the workflow that this call belongs to.

    From the first one on with the head, which may be all that is asked for.
    """
    head: Head | None = None
    messages: tuple[Message, ...] = ()
    while True:
        page = await query_own_run(
            names.TRANSCRIPT_QUERY, TranscriptQuery(transcript=transcript, start=start, stop=stop), TranscriptPage
        )
        head = head or page.head
        messages += page.messages
        start += len(page.messages)
        if start >= stop:
            return head, messages
        if not page.messages:
            raise ApplicationError(f"the workflow has no message {start} of transcript {transcript!r}")


def _no_head(call: ModelCall) -> Head:
    raise ApplicationError(f"the workflow sent no head for transcript {call.transcript!r}", non_retryable=True)
