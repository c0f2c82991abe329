"""The dialogues of `benchmarks.memory_dialogues`, put to mem0's memory as well.

Both embed with the same model. mem0 runs in an environment of its own, which is made where `--venv` says, from the
package index, and reaches nothing but an endpoint in the manner of OpenAI that is served here, on loopback: its
embeddings are those of this project, and its answers are scripted, since extraction needs a model. Of each session the
script says what a faultless model would extract. So the rows tell what mem0 makes of what it is given, not how good a
model is.

    python -m benchmarks.memory_peer [--venv DIR] [--state-dir DIR] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.memory_dialogues import DEEPEST, Answered, Figures, all_measured, figures_of, table
from benchmarks.memory_scores import Dialogue, Recalled, read, state_of, verdict
from benchmarks.peer_environment import answer_of, environment
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.workers.stack.weights import Weights

REQUIREMENTS = ("mem0ai==2.2.1",)

WAYS: dict[str, dict[str, Any]] = {
    "mem0, messages as they are": {"infer": False, "roles": ["user", "assistant"]},
    "mem0, messages of the user": {"infer": False, "roles": ["user"]},
    "mem0, faultless extraction": {"infer": True, "roles": ["user", "assistant"]},
}


def compared(venv: Path, state_dir: Path) -> list[Figures]:
    """Measure the memories of this project, and each way of mem0's."""
    python = environment(venv, REQUIREMENTS)
    dialogues = read()
    rows = asyncio.run(all_measured(state_dir))
    weights = Weights.find(state_dir)
    embedder = MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
    facts = {session.id: one.facts_of(session.id) for one in dialogues for session in one.sessions}
    with served(embedder, facts) as endpoint:
        return [*rows, *(_theirs(python, endpoint, dialogues, name) for name in WAYS)]


def _theirs(python: Path, endpoint: str, dialogues: Sequence[Dialogue], name: str) -> Figures:
    given = {
        **WAYS[name],
        "endpoint": endpoint,
        "depth": DEEPEST,
        "dialogues": [
            {
                "id": dialogue.id,
                "sessions": [asdict(session) for session in dialogue.sessions],
                "questions": [asked.text for asked in dialogue.asked],
            }
            for dialogue in dialogues
        ],
    }
    said = answer_of(python, "mem0_memory.py", given)
    found = [_answered(dialogue, one) for dialogue, one in zip(dialogues, said, strict=True)]
    # What is below its threshold, which is 0.1 as it comes, it does not return.
    return figures_of(name, found, keeps_silent=True)


def _answered(dialogue: Dialogue, said: Mapping[str, Any]) -> Answered:
    verdicts = [
        verdict(asked, [Recalled(text, score) for text, score in recalled])
        for asked, recalled in zip(dialogue.asked, said["recalled"], strict=True)
    ]
    return Answered(dialogue.asked, verdicts, state_of(dialogue, said["held"]), said["seconds"])


@contextmanager
def served(embedder: MiniLmEmbedder, facts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Serve embeddings and scripted extractions on loopback, and give the address.

    Args:
        embedder: What embeds.
        facts: What is extracted from a request that says `session ID`, by that id.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.endswith("/embeddings"):
                answer = _embeddings(asyncio.run(embedder.embed(asked["input"])).tolist())
            else:
                session = re.findall(r"session (\w+-s\d+)", json.dumps(asked["messages"]))[-1]
                answer = _completion(json.dumps({"memory": [{"text": text} for text in facts[session]]}))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            """Say nothing of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _embeddings(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return {
        "object": "list",
        "model": "all-MiniLM-L6-v2",
        "data": data,
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }


def _completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_peer", description=__doc__)
    parser.add_argument(
        "--venv", type=Path, metavar="DIR", help="its environment; default: a new one, which is deleted"
    )
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory:
        rows = compared(arguments.venv or Path(directory) / "venv", arguments.state_dir)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    sys.stdout.write(f"{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
