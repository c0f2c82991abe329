"""The page as one HTML document. Does no I/O but to read its own parts."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from ....contracts.text import printable
from ..step import Trace
from .content import page_content

_SCRIPTS: Final = ("text.js", "steps.js", "values.js", "details.js", "timeline.js", "rows.js", "live.js", "page.js")
_BLANK: Final = re.compile(r"\{\{(\w+)\}\}")


def trace_page(trace: Trace, now: datetime, told_of: str = "", *, reload_seconds: float = 0.0) -> str:
    """Return the page that explains a run.

    It is an HTML document in ASCII that loads nothing.

    Args:
        trace: What the run did.
        now: When its history was read: until then goes what is under way.
        told_of: Where it was read, in words; empty for the server.
        reload_seconds: After how long the page loads itself anew, as it is written again; 0 for never.
    """
    script, style = _script(), _part("page.css")
    title = " - ".join(dict.fromkeys(filter(None, (trace.run.name, trace.run.run_id))))
    filled = {
        "policy": f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        "title": html.escape(printable(title)).encode("ascii", "xmlcharrefreplace").decode(),
        "style": style,
        "script": script,
        "content": page_content(trace, now, told_of, reload_seconds),
    }
    # In one go: what was filled in is not looked at again.
    return _BLANK.sub(lambda blank: filled[blank.group(1)], _part("page.html"))


@cache
def _script() -> str:
    # One scope for all of them, and none of their names in the window.
    return "(() => {\n'use strict';\n" + "\n".join(_part(name) for name in _SCRIPTS) + "\n})();\n"


@cache
def _part(name: str) -> str:
    return (files(__package__ or "") / name).read_text("ascii")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
