"""What LangChain's `PIIMiddleware` finds in texts. Runs in an environment of its own: see `benchmarks.guardrails_peer`.

python langchain_pii.py ASKED ANSWERED
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

KINDS = {"email": "email", "credit_card": "card", "ip": "ip"}
"""Its kinds of personal data that are among ours."""


def main(asked: str, answered: str) -> None:
    detectors = importlib.import_module("langchain.agents.middleware._redaction").BUILTIN_DETECTORS
    texts = json.loads(Path(asked).read_text())["texts"]
    found, began = [], time.perf_counter()
    for text in texts:
        matches = [(KINDS[name], one) for name in KINDS for one in detectors[name](text)]
        found.append([[kind, one["start"], one["end"]] for kind, one in matches])
    seconds = time.perf_counter() - began
    Path(answered).write_text(json.dumps({"found": found, "seconds": seconds, "chars": sum(map(len, texts))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
