"""mem0's memory on dialogues that come as JSON. Knows nothing of this project.

Run by `benchmarks.memory_peer` in an environment of its own:

    python mem0_memory.py ASKED.json ANSWERED.json

`ASKED` has `endpoint`, the address of what embeds and answers in the manner of OpenAI; `dialogues` (id, sessions of
id, date and messages, and questions); `depth`, the texts that are asked for; `infer`, whether a model extracts; and
`roles`, those of the messages that are brought in. `ANSWERED` has, for each dialogue, the texts and scores found for
each question, best first, what is held in the end, and times.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_DIMENSIONS = 384
_ALL = 1_000


def main(asked: Path, answered: Path) -> None:
    """Answer what is asked."""
    given = json.loads(asked.read_text())
    with TemporaryDirectory() as directory:
        # Unless told so before it loads, it sends its makers what it is used for and keeps files in the home directory.
        os.environ |= {"MEM0_TELEMETRY": "False", "MEM0_DIR": directory, "HF_HUB_OFFLINE": "1"}
        from mem0 import Memory  # type: ignore[import-not-found]  # noqa: PLC0415

        memory = Memory.from_config(_config(given["endpoint"], Path(directory)))
        said = [_answered(memory, dialogue, given) for dialogue in given["dialogues"]]
        memory.close()
    answered.write_text(json.dumps(said))


def _config(endpoint: str, directory: Path) -> dict[str, Any]:
    provider = {"provider": "openai", "config": {"api_key": "none", "openai_base_url": endpoint}}
    stored = {"collection_name": "memories", "path": str(directory / "qdrant"), "embedding_model_dims": _DIMENSIONS}
    return {
        "llm": provider,
        "embedder": provider,
        "vector_store": {"provider": "qdrant", "config": stored},
        "history_db_path": str(directory / "history.db"),
    }


def _answered(memory: Any, dialogue: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    scope = dialogue["id"]
    for session in dialogue["sessions"]:
        memory.add(
            [
                {"role": one["role"], "content": one["text"]}
                for one in session["messages"]
                if one["role"] in given["roles"]
            ],
            user_id=scope,
            metadata={"date": session["date"]},
            infer=given["infer"],
            # Comes with the request, so that the scripted model knows what it is asked about.
            prompt=f"session {session['id']}",
        )
    recalled, seconds = [], []
    for question in dialogue["questions"]:
        began = time.perf_counter()
        found = memory.search(question, filters={"user_id": scope}, top_k=given["depth"])["results"]
        seconds.append(time.perf_counter() - began)
        recalled.append([[_text(one), one["score"]] for one in found])
    held = memory.get_all(filters={"user_id": scope}, top_k=_ALL)["results"]
    return {"recalled": recalled, "seconds": seconds, "held": [_text(one) for one in held]}


def _text(memory: dict[str, Any]) -> str:
    return f"{memory['metadata']['date']}: {memory['memory']}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
