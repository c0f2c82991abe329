"""Which code is whose: what people wrote who write an app, and what they only use."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

_OURS = f"{Path(__file__).parents[2]}{os.sep}"
LIBRARY_FOLDERS = ("site-packages", "dist-packages")
"""Names of the folders where libraries are installed."""
_OTHERS = (_OURS, *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")))
_SDK = f"{os.sep}temporalio{os.sep}"


def is_own_code(file: str) -> bool:
    """Return whether a file is of the app's own code: neither ours nor a library's."""
    return not (
        file.startswith(("<", *_OTHERS)) or any(f"{os.sep}{folder}{os.sep}" in file for folder in LIBRARY_FOLDERS)
    )


def own_place(error: BaseException) -> str:
    """Return the last place in somebody's own file, as ` (file, line n)`.

    Empty where there is none.
    """
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if is_own_code(frame.filename)]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def own_traceback(error: BaseException) -> str:
    """Return an error's traceback, from the first frame of somebody's own code on.

    So of the errors that led to it. Without frames of ours and of the Temporal SDK: ours are there where no one else's
    is.
    """
    whole = traceback.TracebackException.from_exception(error)
    for one in _chain(whole):
        one.stack[:] = _pruned(one.stack)
    return "".join(whole.format()).rstrip()


def raised_at(error: BaseException) -> tuple[str, ...]:
    """Return an error's type, and where it was raised.

    From the first frame of somebody's own code on, and so of the errors that led to it. Not what they say: that may
    differ each time.
    """
    whole = traceback.TracebackException.from_exception(error, lookup_lines=False)
    frames = (f"{frame.filename}:{frame.lineno}" for one in _chain(whole) for frame in _pruned(one.stack))
    return (type(error).__qualname__, *frames)


def _chain(whole: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    yield whole
    for one in (whole.__cause__, whole.__context__, *(whole.exceptions or ())):
        if one is not None:
            yield from _chain(one)


def _pruned(stack: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    stack = [frame for frame in stack if _SDK not in frame.filename and not frame.filename.startswith("<")]
    first = next((number for number, frame in enumerate(stack) if is_own_code(frame.filename)), None)
    return stack if first is None else [frame for frame in stack[first:] if not frame.filename.startswith(_OURS)]
