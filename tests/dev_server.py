"""A real Temporal dev server for tests, from the program that the package index ships."""

from __future__ import annotations

from temporalio.testing import WorkflowEnvironment

from sostenuto.connection.converter import data_converter
from sostenuto.contracts import names
from sostenuto.workers.stack.temporal_server import find_program


async def dev_server(*, identity: str | None = None, **dynamic_config: int) -> WorkflowEnvironment:
    """A server in memory that knows our search attributes.

    Args:
        identity: What the histories call its clients and workers. Default: the process and the machine.
        **dynamic_config: Settings of the server, with `__` for a dot.
    """
    settings = [f"{name.replace('__', '.')}={value}" for name, value in dynamic_config.items()]
    attributes = [f"{name}={kind}" for name, kind in names.SEARCH_ATTRIBUTES.items()]
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=find_program(),
        data_converter=data_converter(),
        identity=identity,
        dev_server_extra_args=[
            *(word for setting in settings for word in ("--dynamic-config-value", setting)),
            *(word for attribute in attributes for word in ("--search-attribute", attribute)),
        ],
    )
