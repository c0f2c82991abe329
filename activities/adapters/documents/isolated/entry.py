"""The process that reads one document.

From standard input, as JSON to standard output.

Bounds itself first. Must not write anything else to standard output.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import Any

from .....contracts.collection.document import Document
from .....contracts.errors import DocumentError


def read_one(kind: str, memory_bytes: str, seconds: str) -> None:
    """Read what comes in, and write its text or the reason why there is none."""
    # Libraries print what they think of a document: to nowhere.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    _bound(int(memory_bytes), int(seconds))
    with answers:
        json.dump(_answer(kind, sys.stdin.buffer.read()), answers, ensure_ascii=False)
        answers.flush()
        # Libraries that were left in a bad state would fall while they are cleaned up.
        os._exit(0)


def _answer(kind: str, data: bytes) -> dict[str, Any]:
    try:
        # Only the one that is needed, since each loads its library.
        reader = getattr(import_module(f".{kind}", __package__), f"read_{kind}")
        document: Document = reader(data)
    except DocumentError as error:
        return {"reason": str(error)}
    except ImportError as error:
        return {"setup": f"{kind.upper()} files cannot be read ({error}): pip install 'sostenuto[knowledge]'"}
    except RecursionError:
        return {"reason": "what it is made of stands in one another too deep"}
    except MemoryError:
        return {"reason": "reading it takes too much memory"}
    except Exception as error:  # noqa: BLE001 - the end of a process, and whatever a library raises
        return {"reason": f"it is damaged ({type(error).__name__}: {str(error)[:200]})"}
    return asdict(document)


def _bound(memory_bytes: int, seconds: int) -> None:
    """Bound this process's memory and processor time, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for name, most in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", seconds),  # so that it ends even where nobody is left to end it
        ("RLIMIT_CORE", 0),
    ):
        with suppress(AttributeError, ValueError, OSError):  # macOS has not all of them
            what = getattr(resource, name)
            _, hard = resource.getrlimit(what)
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
