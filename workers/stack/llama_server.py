"""Runs llama.cpp's own HTTP server in a child process.

So a crash in native code ends no worker.

The child is this module, `python -m sostenuto.workers.stack.llama_server --model FILE`, and alone loads the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ...connection.private_files import open_private
from ...contracts.errors import SetupError
from .weights import MODEL

LLAMA_HOST: Final = "127.0.0.1"
CONTEXT_TOKENS: Final = 8192
"""Longest prompt and answer together. SmolLM2 was trained for no more."""
PARALLEL: Final = 4
"""Requests that are answered at the same time; they share one context."""

# With the template in the file, SmolLM2 gets a system prompt that makes it answer nonsense.
_TEMPLATE: Final = """\
{%- if messages[0]['role'] != 'system' %}<|im_start|>system
Answer the question.<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


_MOST_THREADS: Final = 8


def default_threads() -> int:
    """Return how many threads compute where no number is set.

    One core is left to the others, where there is more than one.

    The engine's threads wait for each other many hundred times per token. Where something else takes one of their
    cores they fall from 33 to 2 tokens a second (two busy cores).
    """
    return max(1, min(_MOST_THREADS, (os.cpu_count() or 1) - 1))


class LlamaServer:
    """The child process that serves a GGUF model on loopback.

    An async context manager.

    Args:
        model: GGUF file. Any but the one that `pull` fetches is prompted by the chat template it carries.
        port: Port to listen on; 0 takes a free one.
        threads: Threads to compute with. Default: `default_threads`.
        log: File that gets what the child writes to its standard error. Default: nothing is kept.
    """

    def __init__(self, model: Path, *, port: int = 0, threads: int | None = None, log: Path | None = None) -> None:
        self._model = model
        self._port = port
        self._threads = threads or default_threads()
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""
        """`http://127.0.0.1:PORT` while it runs, else empty."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """Id of the child process, None before its start."""
        return self._process.pid if self._process else None

    async def start(self, *, timeout_seconds: float = 60) -> None:
        """Start the child and return once it answers.

        Raises:
            SetupError: The file is missing or not GGUF, the port is taken, the engine is not installed, or the
                child was not ready in time.
        """
        log = open_private(self._log, append=True) if self._log else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", __spec__.name, "--model", str(self._model), "--exit-with-parent"),
                *("--port", str(self._port), "--threads", str(self._threads)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log or asyncio.subprocess.DEVNULL,
                # Ctrl-C in a terminal goes to this process alone, which then stops the child in its turn.
                start_new_session=True,
            )
        finally:
            if log:
                log.close()
        try:
            async with asyncio.timeout(timeout_seconds):
                self.address = await self._ready()
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise SetupError(f"the local model server was not ready after {timeout_seconds:.0f} s") from None
            raise

    async def _ready(self) -> str:
        assert self._process  # noqa: S101 - for the type checker
        assert self._process.stdout  # noqa: S101
        line = await self._process.stdout.readline()
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError:
            status = await self._process.wait()
            where = f"see {self._log}" if self._log else "pass log= to keep what it wrote"
            raise SetupError(f"the local model server ended with status {status} while starting: {where}") from None
        if "error" in told:
            raise SetupError(f"the local model server cannot start: {told['error']}")
        return str(told["address"])

    async def wait(self) -> int:
        """Return the exit status of the child once it has ended; for a supervisor."""
        if self._process is None:
            raise RuntimeError("the local model server was not started: call start() first")
        return await self._process.wait()

    async def stop(self, *, grace_seconds: float = 5) -> None:
        """End the child and return once it is gone.

        Does nothing where there is none.
        """
        self.address = ""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def run_server(arguments: Sequence[str] | None = None) -> int:
    """Serve a model until SIGTERM, and then end this process.

    Or until standard input ends, where that was asked for.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sostenuto.workers.stack.llama_server", description=run_server.__doc__
    )
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--threads", type=int, default=default_threads(), help="threads to compute with")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    # The engine may write to standard output, which is kept for the one line that says the address.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        _check(options.model, options.port)
        server = _serve(options.model, options.port, options.threads)
    except SetupError as error:
        print(json.dumps({"error": str(error)}), file=told, flush=True)
        return 1
    if options.exit_with_parent:
        threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    print(json.dumps({"address": server.listening_address}), file=told, flush=True)
    # A signal that meets one of the engine's threads interrupts no wait here: its handler runs when this one wakes.
    while not stop.wait(0.2):
        pass
    # The engine's destructor waits for a thread of its own that now and then never ends. It keeps nothing to be saved.
    os._exit(0)


def _check(model: Path, port: int) -> None:
    # The engine has one message for all of these, which names none of them.
    if not model.is_file():
        raise SetupError(f"there is no model file {model}: run `sostenuto pull`, or correct SOSTENUTO_LOCAL_MODEL")
    with model.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise SetupError(f"{model} is not a GGUF file: its first four bytes are not 'GGUF'")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LLAMA_HOST, port))
        except OSError as error:
            raise SetupError(
                f"port {port} on {LLAMA_HOST} cannot be taken ({error.strerror}): choose another, or 0 for a free one"
            ) from error


def _serve(model: Path, port: int, threads: int) -> Any:
    try:
        import xllamacpp  # noqa: PLC0415 - only the child may load it
    except ImportError as error:
        raise SetupError(
            f"the engine xllamacpp cannot be loaded ({error}): pip install 'sostenuto[local]'; "
            "it has wheels for Linux (x86-64, arm64), macOS (arm64) and Windows"
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = [LLAMA_HOST]
    params.port = port
    params.n_parallel = PARALLEL
    params.n_ctx = CONTEXT_TOKENS
    # Without this each of the parallel requests gets only its share of the context.
    params.kv_unified = True
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.ui = False
    params.verbosity = 0
    if model.name == MODEL.name:
        params.model_alias = {"smollm2-135m"}
        params.chat_template = _TEMPLATE
    else:
        params.model_alias = {model.stem}
    try:
        # Returns once the model is loaded and the server answers.
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise SetupError(
            f"llama.cpp cannot load {model} ({error}): the file is damaged or of a kind it lacks"
        ) from error


def _watch_parent(stop: threading.Event) -> None:
    # os.read, not sys.stdin: a thread blocked in sys.stdin holds its lock and makes the interpreter's exit fail.
    while os.read(0, 1024):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(run_server())
