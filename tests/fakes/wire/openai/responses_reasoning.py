"""What OpenAI's Responses endpoint refuses in reasoning: its items and its settings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from tests.fakes.wire.openai.models import family_in
from tests.fakes.wire.openai.responses_items import DONE, items_of, kind_of
from tests.fakes.wire.openai.words import MEASURED_RESPONSES, missing, unsupported
from tests.fakes.wire.rule import Complaint, Json, RuleBook, listed

REASONING = RuleBook("reasoning of a Responses request")


def _effort(body: Json) -> str | None:
    effort: str | None = (body.get("reasoning") or {}).get("effort")
    return effort


@REASONING.rule("https://github.com/continuedev/continue/issues/8933")
def reasoning_without_following_item(body: Json) -> Iterator[Complaint]:
    """A reasoning item that is not followed by what the model did after it."""
    items = [item for _, item in items_of(body)]
    for item, after in zip_longest(items, items[1:], fillvalue={"type": "end"}):
        if kind_of(item) != "reasoning" or not item.get("id"):
            continue
        done = kind_of(after) in DONE and after.get("role", "assistant") == "assistant"
        if not done and kind_of(after) != "reasoning":
            words = f"Item '{item['id']}' of type 'reasoning' was provided without its required following item."
            yield Complaint(words, "input")


@REASONING.rule("https://github.com/VRSEN/agency-swarm/issues/367")
def item_without_its_reasoning(body: Json) -> Iterator[Complaint]:
    """A call under its original id whose reasoning item is missing."""
    seen: set[str] = set()
    for _, item in items_of(body):
        # The double's own ids say what they come after, since it keeps nothing.
        needed = str(item.get("id", "")).partition("_after_")[2]
        if needed and needed not in seen:
            kind = f"Item '{item['id']}' of type '{kind_of(item)}' was provided without its required 'reasoning' item"
            yield Complaint(f"{kind}: '{needed}'.", "input")
        seen.add(str(item.get("id")))


@REASONING.rule("https://github.com/can1357/oh-my-pi/issues/41", status=404)
def item_is_not_kept(body: Json) -> Iterator[Complaint]:
    """A reference, or reasoning without its content, where nothing was stored."""
    for _, item in items_of(body):
        bare = kind_of(item) == "reasoning" and item.get("id") and not item.get("encrypted_content")
        if bare or kind_of(item) == "item_reference":
            words = "Items are not persisted when `store` is set to false."
            advice = "Try again with `store` set to true, or remove this item from your input."
            yield Complaint(f"Item with id '{item.get('id')}' not found. {words} {advice}", "input")


@REASONING.rule("openai 3.54, types/responses/response_reasoning_item_param.py")
def reasoning_item_is_misshapen(body: Json) -> Iterator[Complaint]:
    """Reasoning whose raw text is sent back, or without its summary."""
    for index, item in items_of(body):
        if kind_of(item) != "reasoning":
            continue
        if "summary" not in item:
            yield missing(f"input[{index}].summary")
        if item.get("content"):
            path, count = f"input[{index}].content", len(item["content"])
            words = f"Expected an array with maximum length 0, but got an array with length {count} instead."
            yield Complaint(f"Invalid '{path}': array too long. {words}", path, "array_above_max_length")


@REASONING.rule("https://github.com/openai/codex/issues/8119")
def encrypted_content_is_not_ours(body: Json) -> Iterator[Complaint]:
    """Reasoning that another provider encrypted."""
    for _, item in items_of(body):
        content = str(item.get("encrypted_content") or "") if kind_of(item) == "reasoning" else ""
        if content and not content.startswith("gAAA"):
            words = f"The encrypted content {content[:4]}...{content[-4:]} could not be verified."
            yield Complaint(words, None, "invalid_encrypted_content")


@REASONING.rule("https://github.com/OpenHands/software-agent-sdk/pull/1208")
def encrypted_content_of_a_model_without(body: Json) -> Iterator[Complaint]:
    """The content of reasoning, asked of a model that does not reason."""
    if "reasoning.encrypted_content" in (body.get("include") or ()) and not family_in(body).reasons:
        yield Complaint("Encrypted content is not supported with this model.", "include")


@REASONING.rule("https://github.com/BoundaryML/baml/pull/2708")
def reasoning_is_asked_of_a_model_without(body: Json) -> Iterator[Complaint]:
    """Reasoning settings or items for a model that does not reason."""
    if family_in(body).reasons:
        return
    for key in ("effort", "summary"):
        if (body.get("reasoning") or {}).get(key):
            yield unsupported(f"reasoning.{key}")
    if any(kind_of(item) == "reasoning" for _, item in items_of(body)):
        yield Complaint("Reasoning input items can only be provided to a reasoning or computer use model.", "input")


@REASONING.rule(MEASURED_RESPONSES)
def effort_is_not_the_models(body: Json) -> Iterator[Complaint]:
    """An effort that the model does not have."""
    effort, efforts = _effort(body), family_in(body).efforts
    if effort and efforts and effort not in efforts:
        words = f"'{effort}' is not supported with the '{body['model']}' model."
        takes = f"Supported values are: {listed(list(efforts))}."
        yield Complaint(f"Unsupported value: {words} {takes}", "reasoning.effort", "unsupported_value")


@REASONING.rule(MEASURED_RESPONSES)
def sampling_is_fixed_while_reasoning(body: Json) -> Iterator[Complaint]:
    """Temperature, top_p and penalties for a model that reasons."""
    family = family_in(body)
    if family.sampling or (_effort(body) or family.effort) == "none":
        return
    for key in ("temperature", "top_p", "presence_penalty", "frequency_penalty"):
        if body.get(key) is not None:
            yield Complaint(f"Unsupported parameter: '{key}' is not supported with this model.", key)


@REASONING.rule(MEASURED_RESPONSES)
def logprobs_while_reasoning(body: Json) -> Iterator[Complaint]:
    """Probabilities of tokens for a model that reasons."""
    family = family_in(body)
    if family.sampling or (_effort(body) or family.effort) == "none":
        return
    asked = {
        "top_logprobs": body.get("top_logprobs"),
        "include": "message.output_text.logprobs" in (body.get("include") or ()),
    }
    for key in filter(asked.get, asked):
        yield Complaint("logprobs are not supported with reasoning models.", key, "unsupported_parameter")
