"""`sostenuto replay`: checks today's code against recorded histories.

Needs no server.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .....contracts.limits import HOW_TO_READ_OUTSIDE
from ...app_loader import load_app
from ...session import keep_stdout_clean, needs_worker_packages
from ...terminal import answer

if TYPE_CHECKING:
    from temporalio.worker import Replayer


_DIFFERENCE = re.compile(r"Nondeterminism error: ([^\"]+)")
# The SDK's code for payloads that are stored outside the history and that no storage was configured for.
_NO_PAYLOADS = "TMPRL1105"
_UNKNOWN = re.compile(r"Workflow class (\S+) is not registered")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "replay",
        help="check recorded histories against the code",
        description="Check that the code decides as recorded histories say it did. Exit status 1 where it does not.",
    )
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="history, see `sostenuto export`")
    parser.add_argument("--app", metavar="MODULE:APP", help="the app whose code-first workflows the histories are of")
    parser.add_argument("--json", action="store_true", help="print each verdict as a line of JSON")
    parser.set_defaults(handler=_replay)


async def _replay(args: argparse.Namespace) -> int:
    from .....history.reading.exported import read_history_file

    histories = [(file, read_history_file(file)) for file in args.files]
    keep_stdout_clean()
    # What it warns of is what is printed here in plain words.
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    replayer = _replayer(load_app(args.app).workflows if args.app else ())
    failed = 0
    for file, history in histories:
        outcome = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        problem = "" if outcome.replay_failure is None else _plain(outcome.replay_failure, args.app)
        failed += bool(problem)
        if args.json:
            print(json.dumps({"file": str(file), "events": len(history.events), "ok": not problem, "problem": problem}))
        else:
            answer(f"{file}: {problem or f'ok, {len(history.events)} events'}")
    return 1 if failed else 0


def _replayer(workflows: Sequence[type]) -> Replayer:
    with needs_worker_packages():
        from .....workers.worker import replayer
    return replayer(workflows)


def _plain(failure: Exception, app: str | None) -> str:
    if _NO_PAYLOADS in str(failure):
        return f"its large payloads lie outside the history: {HOW_TO_READ_OUTSIDE}"
    if unknown := _UNKNOWN.search(str(failure)):
        served = f", which {app} does not serve" if app else ""
        return f"it is of the workflow {unknown[1]}{served}: name the app that serves it by --app MODULE:APP"
    # The SDK's text is a dump of its failure, in which one sentence says what differs.
    difference = _DIFFERENCE.search(str(failure))
    if difference:
        return f"the code decides otherwise than this history: {difference[1]}"
    return f"cannot be replayed: {failure}"
