"""The tool by which a model asks a person, and waits for the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import JsonValue

from ..contract import option_names, unknown_field, unnamed_argument
from ..errors import SpecError
from ..tool import Effect, ToolSpec, check_spec
from .approval import Approval

_QUESTION: Final = "question"
_OPTIONS: Final = "options"
"""Arguments of a question."""

_DESCRIPTION: Final = (
    "Ask a person, and wait for the answer, which may take hours. For what nobody but a person can know or decide."
)
_PARAMETERS: Final[Mapping[str, JsonValue]] = {
    "type": "object",
    "properties": {
        _QUESTION: {"type": "string", "minLength": 1, "description": "What to ask, with all that is needed to answer."},
        _OPTIONS: {
            "type": "array",
            "items": {"type": "string"},
            "description": "The answers to choose from. Leave it out where any answer will do.",
        },
    },
    "required": [_QUESTION],
    "additionalProperties": False,
}


class AskPerson:
    """A tool that is answered by a person: `tools=[AskPerson(group="support")]`.

    What waits is decided as every approval is, by `answer` or `deny`.

    Args:
        name: What the model calls it.
        description: What the model reads of it.
        group: Who is asked. It is shown and can be looked for.
        expires: After so long the model is told that nobody answered. Default: it waits for ever.
        escalate_to: The group to which it goes when it expires the first time; it then waits as long again.

    Raises:
        SpecError: Not every provider takes the name, or there is nothing after which it is escalated.
    """

    if not TYPE_CHECKING:

        def __new__(cls, *unnamed: Any, **_: Any) -> AskPerson:
            """Check that each argument has its name.

            Raises:
                SpecError: One has none; says what to write.
            """
            for one in unnamed:
                raise SpecError(unnamed_argument("AskPerson", one, "group" if isinstance(one, str) else ""))
            return super().__new__(cls)

    def __init__(
        self,
        *,
        name: str = "ask_person",
        description: str = _DESCRIPTION,
        group: str = "",
        expires: timedelta | None = None,
        escalate_to: str = "",
        **unknown: Any,
    ) -> None:
        for option in unknown:
            raise SpecError(unknown_field("AskPerson", option, option_names(AskPerson.__init__)))
        asks = Approval(group=group, expires=expires, escalate_to=escalate_to)
        self.spec = ToolSpec(
            name=name,
            description=description,
            parameters=dict(_PARAMETERS),
            # Nothing runs: it can be asked again.
            effect=Effect.READ,
            asks=asks.model_copy(update={"question": True}),
        )
        """What a workflow knows of it."""
        check_spec(self.spec)

    def __repr__(self) -> str:
        return f"<tool {self.spec.name} (a person)>"


def question_arguments(question: str, options: Sequence[str]) -> dict[str, JsonValue]:
    """Return the arguments of a question, as a model gives them."""
    return {_QUESTION: question, **({_OPTIONS: list(options)} if options else {})}


def options_of(arguments: Mapping[str, JsonValue]) -> Sequence[str]:
    """Return the answers that a question names; none where any will do."""
    named = arguments.get(_OPTIONS)
    return [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
