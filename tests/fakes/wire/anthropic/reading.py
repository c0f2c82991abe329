"""Reads the conversation of a Messages request: blocks, places and turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fakes.wire.anthropic.models import Claude, claude
from tests.fakes.wire.rule import Json

DOCS = "https://platform.claude.com/docs/en"
CLAUDE_CODE = "https://github.com/anthropics/claude-code/issues"
MEASURED = (
    "https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter/blob/main/"
    "test/anthropic-messages-validation-parity.test.mjs"
)
"""What the live API answered to each of a hundred bodies."""

THOUGHTS = ("thinking", "redacted_thinking")


@dataclass(slots=True)
class Turn:
    """What one side said in a row: consecutive messages of one role are one turn."""

    role: str
    first: int
    last: int
    placed: list[tuple[str, Json]] = field(default_factory=list)
    """Blocks with their places."""

    @property
    def blocks(self) -> list[Json]:
        """The blocks alone."""
        return [block for _, block in self.placed]


def model_of(body: Json) -> Claude:
    """Return what the model of a request accepts."""
    return claude(str(body.get("model", "")))


def spoken(body: Json) -> list[Json]:
    """Return the messages of a request."""
    return [one for one in body.get("messages") or () if isinstance(one, dict)]


def blocks_of(holder: Json) -> list[Json]:
    """Return the content of a message or of a tool's result as blocks. A text without a character is none."""
    content = holder.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def placed_blocks(body: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield every block of the messages with its place and its role, those within results of tools too."""
    for index, message in enumerate(spoken(body)):
        for number, block in enumerate(blocks_of(message)):
            path = f"messages.{index}.content.{number}"
            yield path, str(message.get("role")), block
            if block.get("type") == "tool_result":
                for inner, one in enumerate(blocks_of(block)):
                    yield f"{path}.tool_result.content.{inner}", "tool", one


def turns_of(body: Json) -> list[Turn]:
    """Return the turns of a conversation."""
    turns: list[Turn] = []
    for index, message in enumerate(spoken(body)):
        role = str(message.get("role"))
        if not turns or turns[-1].role != role:
            turns.append(Turn(role, index, index))
        turns[-1].last = index
        turns[-1].placed += [(f"messages.{index}.content.{n}", block) for n, block in enumerate(blocks_of(message))]
    return turns
