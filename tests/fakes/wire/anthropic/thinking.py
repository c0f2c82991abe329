"""What Anthropic's endpoint refuses in thinking and effort."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.wire.anthropic.reading import CLAUDE_CODE, DOCS, THOUGHTS, model_of, placed_blocks, spoken, turns_of
from tests.fakes.wire.rule import Complaint, Json, RuleBook

THINKING = RuleBook("thinking of a Messages request")

_ADAPTIVE = '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'


def _kind(body: Json) -> str | None:
    kind: str | None = (body.get("thinking") or {}).get("type")
    return kind


@THINKING.rule(f"{DOCS}/api/errors#common-validation-errors")
def thinking_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """A kind of thinking that the model does not have."""
    kind, takes = _kind(body), model_of(body).thinking
    if kind is None or kind in takes:
        return
    if kind == "adaptive":
        yield Complaint("adaptive thinking is not supported on this model")
    elif kind == "between_tools":
        yield Complaint('"thinking.type.between_tools" is not supported for this model.')
    else:
        least = '"thinking.type.between_tools" for the lowest thinking setting, or ' if "between_tools" in takes else ""
        use = least if kind == "disabled" else ""
        yield Complaint(f'"thinking.type.{kind}" is not supported for this model. Use {use}{_ADAPTIVE}')


@THINKING.rule(f"{DOCS}/build-with-claude/effort")
def effort_is_not_a_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, takes = (body.get("output_config") or {}).get("effort"), model_of(body).efforts
    if effort and not takes:
        yield Complaint("This model does not support the effort parameter.")
    elif effort and effort not in takes:
        yield Complaint(f"output_config.effort '{effort}' is not supported. Supported levels: {', '.join(takes)}.")


@THINKING.rule(f"{DOCS}/build-with-claude/thinking")
def effort_needs_thinking(body: Json) -> Iterator[Complaint]:
    """The highest efforts where thinking is off."""
    effort = (body.get("output_config") or {}).get("effort")
    off = _kind(body) == "between_tools" or (_kind(body) == "disabled" and model_of(body).high_effort_thinks)
    if effort in ("xhigh", "max") and off:
        words = f"output_config.effort '{effort}' is not supported when thinking is disabled on this model."
        yield Complaint(f"{words} Use effort 'high' or below, or enable thinking.")


@THINKING.rule(f"{DOCS}/build-with-claude/extended-thinking")
def budget_is_out_of_range(body: Json) -> Iterator[Complaint]:
    """A budget of thinking below the least one, or that leaves no room for an answer."""
    budget = (body.get("thinking") or {}).get("budget_tokens", 0)
    if _kind(body) != "enabled":
        return
    if budget < 1024:
        yield Complaint("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    elif body.get("max_tokens", budget + 1) <= budget:
        yield Complaint("`max_tokens` must be greater than `thinking.budget_tokens`.")


@THINKING.rule("https://github.com/lbjlaq/Antigravity-Manager/issues/139")
def thought_is_missing_before_calls(body: Json) -> Iterator[Complaint]:
    """Calls that are being answered without the thought that came first, where thinking is on by a budget."""
    turns = turns_of(body)
    done = [turn for turn in turns if turn.role == "assistant"]
    if _kind(body) != "enabled" or not done or not done[-1].blocks:
        return
    answering = any(block.get("type") == "tool_result" for block in turns[-1].blocks)
    path, first = done[-1].placed[0]
    if answering and first.get("type") not in THOUGHTS:
        found = f"Expected `thinking` or `redacted_thinking`, but found `{first.get('type')}`."
        wants = "When `thinking` is enabled, a final `assistant` message must start with a thinking block"
        where = "(preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
        advice = "We recommend you include thinking blocks from previous turns."
        yield Complaint(f"{path}.type: {found} {wants} {where} {advice} To avoid this requirement, disable `thinking`.")


@THINKING.rule(f"{CLAUDE_CODE}/20705")
def thought_is_not_first(body: Json) -> Iterator[Complaint]:
    """Thoughts after something else, where thinking is on by a budget."""
    for index, message in enumerate(spoken(body)) if _kind(body) == "enabled" else ():
        content = message.get("content")
        kinds = [block.get("type") for block in content] if isinstance(content, list) else []
        if set(kinds) & set(THOUGHTS) and kinds[0] not in THOUGHTS:
            words = "If an assistant message contains any thinking blocks, the first block must be `thinking` or"
            yield Complaint(f"messages.{index}.content.0: {words} `redacted_thinking`. Found `{kinds[0]}`.")


@THINKING.rule("https://github.com/justlovemaki/AIClient2API/issues/437")
def thought_is_incomplete(body: Json) -> Iterator[Complaint]:
    """Thoughts without their signature or their text."""
    for path, _, block in placed_blocks(body):
        for key in ("signature", "thinking"):
            if block.get("type") == "thinking" and key not in block:
                yield Complaint(f"{path}.thinking.{key}: Field required")


@THINKING.rule("https://github.com/ding113/claude-code-hub/issues/518")
def signature_is_none(body: Json) -> Iterator[Complaint]:
    """Thoughts with an empty signature."""
    for path, _, block in placed_blocks(body):
        if block.get("type") == "thinking" and block.get("signature") == "":
            yield Complaint(f"{path}: Invalid `signature` in `thinking` block")
