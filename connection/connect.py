"""How any process of ours reaches Temporal.

Clients and workers have the same settings, converter and errors.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Interceptor, Plugin
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import PayloadLimitsConfig, RPCError, RPCStatusCode

from ..activities.guardrails.vault.keys import VaultKeys
from ..contracts import limits, names
from ..contracts.context.values import MAX_CONTEXT_BYTES
from ..contracts.errors import SetupError
from .converter import data_converter
from .live_channel import redis_url_setting
from .running_stack import RunningStack, is_state_dir_set, state_dir_setting
from .tracing import CallersTrace
from .vault_keys import read_vault_keys, vault_keys

DEFAULT_ADDRESS = "localhost:7233"
"""Where Temporal listens when nobody says otherwise."""

UNWARNED = PayloadLimitsConfig(memo_warn_size=limits.MEMO_BYTES + MAX_CONTEXT_BYTES + 1_000)
"""Sizes up to which the SDK is silent: a memo has a result and a context, each of at most what is said here."""

_INNERMOST = re.compile(r'(?:message|error): "([^"]+)"')
_CONNECT_TIMEOUT = timedelta(seconds=4)


async def connect(
    address: str | None = None,
    *,
    namespace: str | None = None,
    payload_dir: Path | None = None,
    interceptors: Sequence[Interceptor] = (),
    plugins: Sequence[Plugin] = (),
    runtime: Runtime | None = None,
) -> Client:
    """Connect a Temporal client that has our data converter.

    What is not passed comes from the environment: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
    `TEMPORAL_TLS_*`, a profile of Temporal's own configuration file (`TEMPORAL_PROFILE`), `SOSTENUTO_PAYLOAD_DIR`.
    What that does not say either comes from the embedded stack that is up on the state directory here.

    Raises:
        SetupError: Nothing answers there, access is denied, or there is no such namespace.
    """
    config = _configured()
    stack = RunningStack.find(state_dir_setting())
    told = address or config.get("target_host")
    if not told and stack is None and is_state_dir_set():
        raise SetupError(
            f"no stack is up on {state_dir_setting()}, which SOSTENUTO_STATE_DIR names: start `sostenuto dev` with it, "
            "unset it, or set TEMPORAL_ADDRESS"
        )
    target = told or (stack.address if stack else DEFAULT_ADDRESS)
    config["target_host"] = target
    payload_dir = (
        payload_dir or payload_dir_setting() or (stack.payload_dir if stack and stack.address == target else None)
    )
    if namespace is not None:
        config["namespace"] = namespace
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT.total_seconds()):
            client = await Client.connect(
                **config,
                connect_timeout=_CONNECT_TIMEOUT,
                data_converter=data_converter(payload_dir),
                payload_limits=UNWARNED,
                interceptors=[*interceptors, CallersTrace()],
                plugins=plugins,
                runtime=runtime,
            )
            await _check_namespace(client, target)
    except (RuntimeError, ValueError, TimeoutError) as error:
        raise _unreachable(target, error) from error
    return client


def task_queue_setting(environ: Mapping[str, str] = os.environ) -> str:
    """Return the task queue that `SOSTENUTO_TASK_QUEUE` names, or the default one."""
    return environ.get("SOSTENUTO_TASK_QUEUE") or names.TASK_QUEUE


def payload_dir_setting(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the directory that `SOSTENUTO_PAYLOAD_DIR` names, if any."""
    value = environ.get("SOSTENUTO_PAYLOAD_DIR")
    return Path(value).expanduser() if value else None


def redis_url_of(client: Client) -> str:
    """Return the address of the live channel that goes with a server.

    Empty where none is known. `SOSTENUTO_REDIS_URL`, else that of the embedded stack here whose server it is.
    """
    named = redis_url_setting()
    if named:
        return named
    stack = _stack_of(client)
    return stack.redis_url.get_secret_value() if stack and stack.redis_url else ""


def vault_keys_of(client: Client) -> VaultKeys | None:
    """Return the keys of the vault that go with a server; None where none are known.

    Those that the environment tells, see `vault_keys`, else those of the embedded stack here whose server it is.

    Raises:
        SetupError: They cannot be read, or one is wrong.
    """
    told = vault_keys()
    if told:
        return told
    stack = _stack_of(client)
    return read_vault_keys(stack.vault_keys_file) if stack and stack.vault_keys_file else None


def ui_url_of(client: Client, workflow_id: str) -> str:
    """Return the address of a run in the Temporal UI, the newest of that id.

    Empty where none is known: that of the embedded stack here is, on its own server.
    """
    stack = _stack_of(client)
    if stack is None or stack.ui_url is None:
        return ""
    return f"{stack.ui_url}/namespaces/{quote(client.namespace, safe='')}/workflows/{quote(workflow_id, safe='')}"


def _stack_of(client: Client) -> RunningStack | None:
    """Return the embedded stack here, where it is the one whose server that is."""
    stack = RunningStack.find(state_dir_setting())
    return stack if stack and stack.address == client.service_client.config.target_host else None


def _configured() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        raise SetupError(f"the Temporal settings (TEMPORAL_* or its configuration file) are wrong: {error}") from error


async def _check_namespace(client: Client, target: str) -> None:
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise SetupError(
                f"Temporal at {target} has no namespace {client.namespace!r}: set TEMPORAL_NAMESPACE, or make it by "
                f"`temporal operator namespace create --namespace {client.namespace}`"
            ) from error
        if error.status is RPCStatusCode.UNAUTHENTICATED:
            raise SetupError(f"Temporal at {target} denies access: check TEMPORAL_API_KEY or TEMPORAL_TLS_*") from error
        # A key may be allowed to run workflows and yet not to describe the namespace.
        if error.status is not RPCStatusCode.PERMISSION_DENIED:
            raise SetupError(f"Temporal at {target} does not answer as it should: {error.message}") from error


def _unreachable(target: str, error: Exception) -> SetupError:
    reason = f"no answer within {_CONNECT_TIMEOUT.total_seconds():.0f} s"
    if not isinstance(error, TimeoutError):
        # The SDK gives the transport's whole nested error; its innermost texts are what a person can use.
        texts = _INNERMOST.findall(str(error))
        reason = texts[-1] if texts else str(error).removeprefix("Failed client connect: ")
    # At another address somebody has said where Temporal is, or a stack was found here.
    here = (
        "run this in the directory where `sostenuto dev` runs (or set SOSTENUTO_STATE_DIR to its state directory), or "
        if target == DEFAULT_ADDRESS
        else ""
    )
    return SetupError(
        f"no Temporal server answers at {target}: start one by `sostenuto dev`, or {here}set TEMPORAL_ADDRESS "
        f"({reason})"
    )
