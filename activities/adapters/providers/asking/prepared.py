"""A request as its model's profile has it, and the way back of the answer.

What takes time is done once: the next call of a run has the very same tools and form of the answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Final

from .....contracts.message import ToolCallPart
from .....contracts.wire.model_call import StopReason
from ....model_adapter import Completion, ModelRequest
from ..profiles.known import Profiles
from ..profiles.profile import Profile
from .answer_tool import answer_tool_name, with_answer_as_text
from .asked_output import AskedOutput, asked_output
from .demanded_call import DemandedCall, demanded_answer, demanded_call
from .hosted_tools import HostedTool, hosted_tools
from .output_limit import OutputLimit, output_limit
from .wire_tools import WireTools

_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a model accepts of a request, and how."""

    profile: Profile
    tools: WireTools
    output: AskedOutput | None
    call: DemandedCall
    limit: OutputLimit
    hosted: tuple[HostedTool, ...]

    def restored(self, completion: Completion) -> Completion:
        """Return an answer in the form of the agent's own tools and output."""
        if self.output and self.output.tool:
            completion = with_answer_as_text(completion, self.output.tool.name)
        parts = tuple(
            self.tools.received(part) if isinstance(part, ToolCallPart) else part for part in completion.message.parts
        )
        received = replace(
            completion,
            message=completion.message.model_copy(update={"parts": parts}),
            more_room=self.limit.more and completion.stop is StopReason.LENGTH,
        )
        return self.output.restored(received) if self.output else received


class _Memory:
    """Values made of others, found by the identity of one of those and by the rest."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Any, dict[Hashable, Any]]] = OrderedDict()

    def of(self, source: Any, rest: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value, made where it is not known yet."""
        known = self._known.get(id(source))
        # An id may be used again, for another value.
        if known is None or known[0] is not source:
            known = self._known[id(source)] = (source, {})
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(id(source))
        if rest not in known[1]:
            known[1][rest] = make()
        return known[1][rest]


_TOOLS: Final = _Memory()
_OUTPUTS: Final = _Memory()


def prepared(request: ModelRequest, profiles: Profiles) -> Prepared:
    """Return a request as its model's profile has it.

    Raises:
        InvalidRequest: The model has no tool of its own that is asked for.
    """
    profile = profiles.of(request.model.model).without(request.without)
    as_told = (profile.tool_schema, profile.tool_description)
    tools: WireTools = _TOOLS.of(request.tools, as_told, lambda: WireTools(request.tools, *as_told))
    call, output = demanded_call(request, profile), _output(request, profile)
    limit, hosted = output_limit(request, profile), hosted_tools(request, profile)
    if output and output.tool and output.fitted:
        if call.any:
            # The answer's tool would do where any has to be called: there is none until one of the agent's own was.
            return Prepared(profile, tools, None, call, limit, hosted)
        tools = tools.and_one(output.tool, output.fitted)
        call = call or demanded_answer(output.tool.name, request, profile)
    return Prepared(profile, tools, output, call, limit, hosted)


def _output(request: ModelRequest, profile: Profile) -> AskedOutput | None:
    if request.output is None:
        return None
    asked = (profile.output_mode(with_tools=bool(request.tools)), answer_tool_name(request.tools))
    rules = (profile.output_schema, profile.unenforced_schema, profile.tool_schema)
    rest = (*asked, *rules, profile.output_in_words, profile.output_unenforced)
    output: AskedOutput = _OUTPUTS.of(request.output, rest, lambda: asked_output(request, profile))
    return output
