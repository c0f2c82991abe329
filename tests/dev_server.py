"""A real Temporal dev server for tests, from the program that the package index ships."""

from __future__ import annotations

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from sostenuto.connection.converter import data_converter
from sostenuto.contracts import names
from sostenuto.workers.stack.temporal_server import find_program
from tests.patience import PATIENCE_SECONDS

# Of itself it splits every task queue into four parts, and each test has queues of its own.
_ONE_PART = {f"matching__numTaskqueue{way}Partitions": 1 for way in ("Read", "Write")}


async def dev_server(
    identity: str | None = None, *, knows_attributes: bool = True, **dynamic_config: int
) -> WorkflowEnvironment:
    """A server in memory.

    Args:
        identity: What the histories call its clients and workers. Default: the process and the machine.
        knows_attributes: Whether our search attributes are registered.
        **dynamic_config: Settings of the server, with `__` for a dot.
    """
    settings = [f"{name.replace('__', '.')}={value}" for name, value in (_ONE_PART | dynamic_config).items()]
    known = names.SEARCH_ATTRIBUTES if knows_attributes else {}
    attributes = [f"{name}={kind}" for name, kind in known.items()]
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=find_program(),
        data_converter=data_converter(),
        identity=identity,
        # Of itself it gives up after five seconds, which are not enough beside busy processes.
        dev_server_startup_timeout=timedelta(seconds=PATIENCE_SECONDS),
        dev_server_extra_args=[
            *(word for setting in settings for word in ("--dynamic-config-value", setting)),
            *(word for attribute in attributes for word in ("--search-attribute", attribute)),
        ],
    )
