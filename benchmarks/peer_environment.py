"""An environment of its own for a peer, and a script in it that is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def environment(venv: Path, requirements: Sequence[str]) -> Path:
    """Return the interpreter of an environment, which is made from the package index where it is not there.

    Raises:
        CalledProcessError: It cannot be made.
    """
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *requirements], check=True)
    return python


def answer_of(python: Path, script: str, given: Mapping[str, Any]) -> Any:
    """Return what a script of this folder answers, which is asked and answers in files of JSON.

    Raises:
        CalledProcessError: It failed.
    """
    with TemporaryDirectory() as directory:
        request, answer = Path(directory) / "asked.json", Path(directory) / "answered.json"
        request.write_text(json.dumps(given))
        path = Path(__file__).with_name(script)
        subprocess.run([str(python), str(path), str(request), str(answer)], check=True, stdout=subprocess.DEVNULL)
        return json.loads(answer.read_text())
