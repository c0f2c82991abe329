"""A model that answers from a script, for tests, benchmarks and demonstrations.

Must not reach any network.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError, field_validator

from ....contracts.contract import Spec
from ....contracts.control.usage import Usage
from ....contracts.errors import MODEL_ERRORS, InvalidRequest, ModelError, ProviderUnavailable, SpecError
from ....contracts.message import Message, Part, ReasoningPart, Role, TextPart, ToolCallPart
from ....contracts.model import Model, OutputSchema
from ....contracts.text import plural
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelRequest, OnDelta
from .deadline import deadline


class ScriptedCall(Spec):
    """A tool call of a step."""

    name: str
    arguments: dict[str, JsonValue] = {}
    malformed: str = ""
    """What stands in the place of the arguments, where they are not to be a JSON object."""


class ScriptedStep(Spec):
    """One answer of the script: what to say, and what goes wrong before it is said."""

    text: str = ""
    reasoning: str = ""
    output: JsonValue = None
    """An answer of structured output, said as JSON text after `text`."""
    tool_calls: tuple[ScriptedCall, ...] = ()
    stop: StopReason | None = None
    """Why the model stops. None: for its tool calls where it has some, else at its end."""
    usage: Usage = Usage(input_tokens=10, output_tokens=5)
    note: str = ""
    """What the adapter has to say of the answer, as of an unknown stop reason."""
    delay_seconds: float = 0.0
    """How long the answer takes to come. At least 0."""
    seconds_per_word: float = 0.0
    """How long each word takes, where the answer is streamed. At least 0."""
    error: str = ""
    """Name of the `ModelError` to raise in place of the answer, empty for none."""
    refuses: str = ""
    """Feature that the model turns out not to have, such as `seed`: the request is refused for it, and made without."""
    retry_after_seconds: float | None = None
    """What the error names as its delay."""
    dies: bool = False
    """Breaks off after half of the answer."""
    hangs: bool = False
    """Never answers: the call runs into its timeout."""
    faulty_attempts: int | None = None
    """How many requests for the same prompt meet the error, death or hang, counted in this process; None: all."""

    @field_validator("error")
    @classmethod
    def _known_error(cls, error: str) -> str:
        if error and error not in MODEL_ERRORS:
            raise ValueError(f"{error!r} is none of {', '.join(MODEL_ERRORS)}")
        return error


Steps = Sequence[ScriptedStep | str | dict[str, Any]]
Script = Steps | Mapping[str, Steps]
"""Steps, each a `ScriptedStep`, its fields, or plain text; or for each model name (without the provider) its steps."""

_WORD = re.compile(r"\S+\s*|\s+")
_STEPS = TypeAdapter(tuple[ScriptedStep, ...])


class ScriptedAdapter:
    """Answers the n-th turn of any transcript with the n-th step of the script.

    The turn is the number of assistant messages in the request, and of those that a memory left out of it. So the
    adapter keeps nothing of a run, and a worker that takes over after a crash goes on at the right step.

    Args:
        script: The steps, or a path to a JSON file of them.
        provider: The name that it goes by.
        log: File that gets one line of JSON for each request, over all processes: time, turn, model, messages, bytes.
        windows: Most tokens of a prompt and its answer, by the name of the model, without the provider.

    Raises:
        SpecError: A step has an unknown field or error name.
    """

    def __init__(
        self,
        script: Script | Path,
        *,
        provider: str = "scripted",
        log: Path | None = None,
        windows: Mapping[str, int] | None = None,
    ) -> None:
        self.provider = provider
        self._windows = windows or {}
        self._log = log
        self._faults: Counter[tuple[int, str]] = Counter()
        given = json.loads(script.read_text()) if isinstance(script, Path) else script
        by_model = given if isinstance(given, Mapping) else {"": given}
        self._scripts = {model: _steps(steps) for model, steps in by_model.items()}

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Answer with the script's step for this turn.

        Raises:
            ModelError: The step says so, or the script has no such step.
        """
        turn = [message.role for message in request.messages].count(Role.ASSISTANT) + request.replies_left
        if self._log:
            _append(self._log, turn, request)
        step = self._step(request.model.model, turn)
        faulty = self._faulty(step, turn, request)
        async with deadline(request.model):
            if step.delay_seconds:
                await asyncio.sleep(step.delay_seconds)
            if faulty and step.hangs:
                await asyncio.Event().wait()
        if faulty and step.error:
            raise _error(step)
        if step.refuses and step.refuses not in request.without:
            raise InvalidRequest(f"unsupported parameter: {step.refuses!r}", refuses=step.refuses)
        message = _message(step, self.provider, request.output)
        if on_delta or (faulty and step.dies):
            async with deadline(request.model):
                await _stream(message, on_delta, step.seconds_per_word, broken=faulty and step.dies)
        stop = step.stop or (StopReason.TOOL_CALLS if step.tool_calls else StopReason.END)
        return Completion(message, request.model.model, stop, step.usage, request_id=f"scripted-{turn}", note=step.note)

    def window(self, model: Model) -> int:
        """Return the most tokens of a prompt and its answer; 0 where that is not known."""
        return self._windows.get(model.model, 0)

    async def close(self) -> None:
        """Do nothing: a script holds no connections."""

    def _step(self, model: str, turn: int) -> ScriptedStep:
        steps = self._scripts.get(model, self._scripts.get(""))
        if steps is None:
            raise InvalidRequest(f"{model!r}: the script has steps for {', '.join(self._scripts)} only")
        if turn >= len(steps):
            raise InvalidRequest(
                f"the script is exhausted: turn {turn + 1} was asked for, and it has {plural(len(steps), 'step')}"
            )
        return steps[turn]

    def _faulty(self, step: ScriptedStep, turn: int, request: ModelRequest) -> bool:
        if not (step.error or step.dies or step.hangs):
            return False
        if step.faulty_attempts is None:
            return True
        prompt = (turn, "".join(message.model_dump_json() for message in request.messages[:1]))
        self._faults[prompt] += 1
        return self._faults[prompt] <= step.faulty_attempts


def _steps(steps: Steps) -> tuple[ScriptedStep, ...]:
    try:
        return _STEPS.validate_python([{"text": step} if isinstance(step, str) else step for step in steps])
    except ValidationError as error:
        places = (
            ".".join(map(str, problem["loc"])) + ": " + problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        )
        raise SpecError(f"script: step {'; step '.join(places)}") from None


def _message(step: ScriptedStep, provider: str, schema: OutputSchema | None) -> Message:
    parts: list[Part] = []
    if step.reasoning:
        parts.append(ReasoningPart(provider=provider, text=step.reasoning))
    output = step.output
    if schema and schema.wrapped and output is not None and not (isinstance(output, dict) and "value" in output):
        output = {"value": output}
    text = step.text + ("" if output is None else json.dumps(output))
    if text:
        parts.append(TextPart(text=text))
    parts += [
        ToolCallPart(id=f"scripted_{index}", name=call.name, arguments=call.arguments, malformed=call.malformed)
        for index, call in enumerate(step.tool_calls)
    ]
    return Message(role=Role.ASSISTANT, parts=tuple(parts))


def _deltas(message: Message) -> Iterator[Delta]:
    calls = itertools.count()
    for part in message.parts:
        if isinstance(part, ReasoningPart):
            yield Delta("reasoning", part.text)
        elif isinstance(part, TextPart):
            yield from (Delta("text", word) for word in _WORD.findall(part.text))
        elif isinstance(part, ToolCallPart):
            yield Delta("tool_call", part.malformed or json.dumps(part.arguments), tool=part.name, index=next(calls))


async def _stream(message: Message, on_delta: OnDelta | None, pause: float, *, broken: bool) -> None:
    deltas = list(_deltas(message))
    for delta in deltas[: len(deltas) // 2] if broken else deltas:
        if pause:
            await asyncio.sleep(pause)
        if on_delta:
            on_delta(delta)
    if broken:
        raise ProviderUnavailable("the scripted stream broke off half way")


def _error(step: ScriptedStep) -> ModelError:
    delay = None if step.retry_after_seconds is None else timedelta(seconds=step.retry_after_seconds)
    return MODEL_ERRORS[step.error](f"scripted {step.error}: {step.text or 'the script says so'}", retry_after=delay)


def _append(path: Path, turn: int, request: ModelRequest) -> None:
    entry = {
        "time": time.time(),
        "turn": turn,
        "model": request.model.name,
        "messages": len(request.messages),
        "bytes": sum(len(message.model_dump_json()) for message in request.messages),
    }
    # One write in append mode, so lines of several processes never mix.
    with path.open("a", buffering=1) as file:
        file.write(json.dumps(entry) + "\n")
