"""Writes down how this version encodes each contract, for the versions to come.

    python -m tests.unit.contracts.record_payloads

Writes `payloads/v<version>/<contract>.json`: an example as the data converter encodes it, and the fields' defaults,
which are not written. Existing files stay as they are: what a released version wrote stands in histories for ever.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter

from sostenuto import __version__
from tests.unit.contracts.examples import BY_NAME, defaults

PAYLOADS = Path(__file__).parent / "payloads"


def main() -> None:
    """The command line."""
    directory = PAYLOADS / f"v{__version__}"
    directory.mkdir(parents=True, exist_ok=True)
    for name, example in BY_NAME.items():
        path = directory / f"{name}.json"
        if path.exists():
            continue
        payload = pydantic_data_converter.payload_converter.to_payload(example)
        content = {"example": json.loads(payload.data), "defaults": defaults(type(example))}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        sys.stdout.write(f"{directory.name}/{path.name}\n")


if __name__ == "__main__":
    main()
