"""Estimates how hard an input is, by its form alone.

To find the cheapest route that is good enough for it.
"""

from __future__ import annotations

import math
import re
from typing import Final

from ...contracts.wire.route_call import RouteCall, RouteChoice, RouteOption
from ..prices.price import PriceList, price_to_compare

# What comes later is as hard as what came first, and patterns on it would take time.
_READ_CHARS: Final = 20_000

_LONG_WORDS: Final = 400
"""Words at which the length itself says nothing more."""

# Each sign with its weight, the count at which it says no more, and what it is called. The signs are those by which
# published prompt classifiers describe a task: reasoning, constraints, number of steps, knowledge of a domain, length.
_SIGNS: Final = (
    (
        *(0.35, 2, "reasoning"),
        r"\b(?:why|prove|derive|deduce|infer|reason(?:ing)?|explain how|trade-?offs?|pros and cons|implications?|"
        r"justify|argue|evaluate|assess|critique|analy[sz]e|analysis|root cause|diagnose|debug|predict|what if|"
        r"suppose)\b",
    ),
    (
        *(0.35, 2, "design"),
        r"\b(?:design|architect(?:ure)?|implement|refactor|optimi[sz]e|migrat(?:e|ion)|develop|build|strategy|plan|"
        r"algorithm|concurren\w+|distributed|scal(?:e|able)|proposal|roadmap|negotiate|essay|novel|contract)\b",
    ),
    (
        *(0.25, 2, "comparison"),
        r"\b(?:compare|comparison|versus|vs|difference between|better than|rank|prioriti[sz]e|weigh|contrast)\b",
    ),
    (
        *(0.3, 4, "requirements"),
        r"\b(?:must|should|ensure|require[sd]?|at least|at most|without|unless|except|only if|constraints?|given that|"
        r"taking into account|consider(?:ing)?)\b|^[ \t]*(?:[-*]|\d+[.)])\s",
    ),
    (
        *(0.25, 3, "steps"),
        r"\b(?:then|after that|afterwards|next|first(?:ly)?|second(?:ly)?|finally|step by step|in turn|for each)\b",
    ),
    (*(0.25, 2, "questions"), r"\?(?=[^?]*\?)"),  # each but the last: one question is not a sign
    (
        *(0.3, 2, "code"),
        r"```|\b(?:def|class|function|import|SELECT|regex|SQL|API|stack trace|unit tests?|thread|deadlock|compiler)\b|"
        r"[{};][ \t]*$|=>|->|==",
    ),
    (
        *(0.4, 3, "mathematics"),
        r"[∑∫√≤≥≠∂∀∃π]|\\(?:frac|sum|int)\b|\w\s*\^\s*\w|\d\s*[*/+=]\s*\w|\b(?:integral|derivative|theorem|matrix|"
        r"eigenvalues?|probability|equations?|proof|polynomial|converges?|prime|expected value)\b",
    ),
)
_PATTERNS: Final = tuple(
    (weight, most, name, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for weight, most, name, pattern in _SIGNS
)
_LENGTH_WEIGHT: Final = 0.4

# Where the scripts begin that write without spaces.
_WIDE: Final = 0x2E80
_BYTES_PER_TOKEN: Final = 3


def cheapest_adequate(call: RouteCall, price_list: PriceList) -> RouteChoice:
    """Choose the cheapest route that is good enough for so hard and long an input.

    Where none is, the choice has an empty `route` and says why.

    Routes whose price is unknown come after those with a known one, in the order given.
    """
    hard, signs = difficulty(call.text)
    tokens = estimated_tokens(call.text)
    task = f"difficulty {hard:.2f} ({', '.join(signs) or 'nothing special'}), about {tokens} tokens"
    adequate = [(_price(option, price_list), option) for option in call.options if _is_adequate(option, hard, tokens)]
    if not adequate:
        return RouteChoice(reason=f"{task}: no route is good for that", strategy=call.strategy)
    price, option = min(adequate, key=lambda pair: math.inf if pair[0] is None else pair[0])
    known = "its price is unknown" if price is None else f"${price:g} per million tokens in and out"
    reason = f"{task}: the cheapest of {len(adequate)} adequate ({option.model or 'no model'}, {known})"
    return RouteChoice(route=option.name, confidence=1.0, reason=reason, strategy=call.strategy)


def difficulty(text: str) -> tuple[float, list[str]]:
    """Estimate how hard an input looks, 0 to 1, with the signs of it.

    Signs add up as independent reasons do: each takes its share of what is left to 1, so more signs are never easier.
    """
    read = text[:_READ_CHARS]
    # In scripts without spaces a word has about two characters.
    words = max(len(read.split()), sum(ord(letter) >= _WIDE for letter in read) / 2)
    left = 1 - _LENGTH_WEIGHT * min(1.0, math.log1p(words) / math.log1p(_LONG_WORDS)) ** 2
    signs = []
    for weight, most, name, pattern in _PATTERNS:
        count = min(most, len(pattern.findall(read)))
        if count:
            signs.append(name)
            left *= 1 - weight * (count / most) ** 0.5
    return 1 - left, signs


def estimated_tokens(text: str) -> int:
    """Estimate a text's tokens, rather too many than too few.

    A third of its bytes in UTF-8: English prose has four bytes to a token, code and most other scripts three.
    """
    return math.ceil(len(text.encode(errors="replace")) / _BYTES_PER_TOKEN)


def _is_adequate(option: RouteOption, hard: float, tokens: int) -> bool:
    return option.max_difficulty >= hard and (option.max_tokens is None or option.max_tokens >= tokens)


def _price(option: RouteOption, price_list: PriceList) -> float | None:
    return price_to_compare(price_list, option.model) if option.model else None
