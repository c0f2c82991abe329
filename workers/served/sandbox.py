"""The sandbox in which code of workflows runs.

A file with a workflow is loaded anew for each run, with those of its project that it imports. Libraries are not: they
are many, slow to load, and not all can be loaded twice. What reads a clock, chance or the machine is refused while a
workflow runs, not while its file is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxMatcher, SandboxRestrictions

from ...activities.call.own_code import LIBRARY_FOLDERS, is_own_code, own_place
from ...contracts.errors import SpecError

# Contracts and workflow code keep no state at module level, and loading them anew for every run costs milliseconds.
_SHARED: Final = "sostenuto"

_REFUSED: Final = "Failed validating workflow "


def workflow_runner(workflows: Sequence[type] = ()) -> SandboxedWorkflowRunner:
    """Return the sandbox of production, for workers, tests and the replayer.

    Args:
        workflows: Classes of an app. What stands beside them in their packages is loaded anew, too.
    """
    own = {_top(workflow.__module__) for workflow in workflows} | _own_modules()
    default = SandboxRestrictions.default
    restrictions = replace(
        default.with_passthrough_modules(*(_libraries() - own), _SHARED),
        invalid_module_members=_at_run_time(default.invalid_module_members),
    )
    return SandboxedWorkflowRunner(restrictions=restrictions)


@contextmanager
def loading_workflows() -> Iterator[None]:
    """Say in a line which workflow of the block cannot be loaded.

    Raises:
        SpecError: A workflow's file fails where it is loaded for a run; names the line, and says what to write.
    """
    try:
        yield
    except RuntimeError as error:
        reason = error.__cause__
        if reason is None or not str(error).startswith(_REFUSED):
            raise
        raise SpecError(
            f"workflow {str(error).removeprefix(_REFUSED)}: each run loads its file anew, and that fails: "
            f"{type(reason).__name__}: {reason}{own_place(reason)}; put what may run but once into a module of its "
            "own, and import that under `with workflow.unsafe.imports_passed_through():`"
        ) from error


def _libraries() -> set[str]:
    """Return the modules that are installed, loaded or not."""
    folders = [Path(entry) for entry in sys.path if Path(entry).name in LIBRARY_FOLDERS]
    found = (file.name.partition(".")[0] for folder in folders if folder.is_dir() for file in folder.iterdir())
    return {name for name in found if name.isidentifier()}


def _own_modules() -> set[str]:
    """Return what is loaded of the app's own code.

    Its modules may have the name of a library.
    """
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.copy().items()}
    return {_top(name) for name, file in files.items() if isinstance(file, str) and is_own_code(file)}


def _top(module: str) -> str:
    return module.partition(".")[0]


def _at_run_time(matcher: SandboxMatcher) -> SandboxMatcher:
    """Return the same restrictions, for the time when a workflow runs alone."""
    children = {name: _at_run_time(child) for name, child in matcher.children.items()}
    return replace(matcher, only_runtime=True, children=children)
