"""What commands that talk to Temporal share: options, and one quiet connection."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...contracts.errors import SetupError

if TYPE_CHECKING:
    from temporalio.runtime import MetricBuffer

    from ..client import Client


def add_connection_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where Temporal is."""
    parser.add_argument("--address", metavar="HOST:PORT", help="Temporal server (default: TEMPORAL_ADDRESS)")
    parser.add_argument("--namespace", help="Temporal namespace (default: TEMPORAL_NAMESPACE)")


async def connect_client(args: argparse.Namespace, counts: MetricBuffer | None = None) -> Client:
    """Return a client for what the options say.

    Args:
        args: The options.
        counts: Takes what the Temporal SDK of this process counts, and has to be emptied.

    Raises:
        SetupError: Nothing answers there, access is denied, or there is no such namespace.
    """
    from ..client import Client

    keep_stdout_clean(counts)
    return await Client.connect(args.address, namespace=args.namespace, task_queue=getattr(args, "task_queue", None))


def keep_stdout_clean(counts: MetricBuffer | None = None) -> None:
    """Send the log of the SDK's core to Python's loggers.

    By itself it goes to stdout, amid the data printed there.

    Args:
        counts: Takes what the SDK counts.
    """
    from temporalio.runtime import (
        LogForwardingConfig,
        LoggingConfig,
        Runtime,
        TelemetryConfig,
        TelemetryFilter,
    )

    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    # What it warns of, such as each try to reach a server that is away, the commands tell in their own words.
    levels = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=levels, forwarding=forwarding), metrics=counts)
    Runtime.set_default(Runtime(telemetry=telemetry), error_if_already_set=False)


@contextmanager
def needs_worker_packages() -> Iterator[None]:
    """Explain an import error of workers/ in the block.

    A client's installation may lack the packages for it.

    Raises:
        SetupError: A package is not installed; says how to get it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("sostenuto"):
            raise
        raise SetupError(f"the package {error.name} is not installed: pip install 'sostenuto[worker]'") from error
