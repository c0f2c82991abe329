"""What a text has that only instructions to a model have: they hide, or pose."""

from __future__ import annotations

import re
from typing import Final

from ..finding import Finding, without_overlaps

_HIDDEN: Final = re.compile("[\U000e0020-\U000e007e]{4,}")
"""ASCII in characters that show nothing (Unicode tags), and that models read."""
_TOKENS: Final = re.compile(
    r"<\|(?:im_start|im_end|eot_id|start_header_id|end_header_id|system|user|assistant|endoftext)\|>"
    r"|</?(?:function_results?|tool_results?)>|\[/?INST\]|<</?SYS>>"
)
"""What stands between the turns of a conversation, as models were trained on it."""
_POSING: Final = re.compile(
    r"(?:(?:^|\n)[ \t]*(?:#{1,4} ?|\[)?(?:system|developer|administrator)(?:\]|:)|[.!?>}\])] ?\[?SYSTEM\]?:"
    r"|\u0421\u0418\u0421\u0422\u0415\u041c\u0410:|\[\u30b7\u30b9\u30c6\u30e0\]|\n\n(?:Human|User):)",
    re.IGNORECASE,
)
"""A line that says that the system speaks, or the user."""
_ACTS: Final = re.compile(
    r"\b(?:call|use|run|execute|invoke|forward|send|transfer|paste|post|upload|submit|disclose|export|delete|refund|"
    r"approve|share|answer|reply|show|ask|rufe|sende|zeige|ejecut\w*|responde\w*)\b"
    r"|\u0432\u044b\u0437\u043e\u0432\u0438|\u043e\u0442\u043f\u0440\u0430\u0432\u044c|\u5b9f\u884c",
    re.IGNORECASE,
)
_REACH: Final = 400
"""So many characters behind a line that poses, something is to be done."""


def instructions(text: str) -> list[Finding]:
    """Return where a text hides instructions to a model, or poses as its user.

    What merely asks a model for something, in plain words, is not found: nothing in the words tells it from what people
    ask each other.
    """
    found = [Finding("hidden_text", one.start(), one.end()) for one in _HIDDEN.finditer(text)]
    for pattern in (_TOKENS, _POSING):
        end = 0
        for one in pattern.finditer(text):
            # What poses again within reach of the first is the same.
            if one.start() >= end and _ACTS.search(text, one.end(), one.end() + _REACH):
                end = min(one.end() + _REACH, len(text))
                found.append(Finding("posing", one.start(), end))
    return without_overlaps(found)
