"""Reads where an input belongs from a model's answer.

Takes nothing for granted: models name routes that do not exist.
"""

from __future__ import annotations

from typing import Any

from ...contracts.template import as_text
from ...contracts.wire.route_call import RouteCall, RouteChoice

_LONGEST_QUOTE = 200
_LONGEST_REASON = 500


def said_by_model(call: RouteCall) -> RouteChoice:
    """Read the route that `call.answer` names.

    It is an object with `route`, `confidence` and `reason`.

    An answer without a number from 0 to 1 as its confidence has the confidence 0.
    """
    answer = call.answer if isinstance(call.answer, dict) else {}
    route, confidence = answer.get("route"), _confidence(answer.get("confidence"))
    if route not in [option.name for option in call.options]:
        known = ", ".join(option.name for option in call.options)
        said = f"gave no answer{_why(call)}" if call.answer is None else f"said {as_text(call.answer)[:_LONGEST_QUOTE]}"
        reason = f"the model named none of the routes {known}; it {said}"
        return RouteChoice(reason=reason, strategy=call.strategy)
    reason = as_text(answer.get("reason") or "the model gave no reason")[:_LONGEST_REASON]
    if confidence is None:
        reason += " (the model gave no confidence from 0 to 1)"
    return RouteChoice(route=str(route), confidence=confidence or 0.0, reason=reason, strategy=call.strategy)


def _why(call: RouteCall) -> str:
    return f" ({call.unanswered[:_LONGEST_REASON]})" if call.unanswered else ""


def _confidence(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None
