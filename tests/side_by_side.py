"""Which tests may run beside each other, where several workers of pytest-xdist share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_IN_ONE_ROW = (
    "tests/integration/local/",  # one model server for all of them, which is asked in one order
    "tests/integration/mcp/test_npm.py",  # they look for processes of the directory that all are installed in
)


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """Every test goes to the next free worker, but for those that have to stay in one row.

    One worker begins at the end, with what waits for nothing: that fills what the others leave of the processor, which
    wait for servers most of the time.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((row for row in _IN_ONE_ROW if nodeid.startswith(row)), nodeid)

    def _pending_of(self, workload: dict[str, dict[str, bool]]) -> int:
        """Count what is not over yet, and forget the rest: it would be counted again after every test."""
        for row in [row for row, tests in workload.items() if all(tests.values())]:
            del workload[row]
        return int(super()._pending_of(workload))

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node == self.nodes[-1] and self.workqueue:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
