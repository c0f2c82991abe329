"""An MCP server written by hand, which says on stdio what no SDK would let it say.

    python raw_mcp_server.py FILE

FILE has JSON: for each method the result or `{"error": {...}}` that it answers, and a `journal` to which it writes the
methods that it was asked for. `{"endless": {...}}` is a page of tools that has always a next one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def answer(method: str, params: dict[str, Any], says: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        about = {"name": "raw", "version": "1"}
        return {
            "result": {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": about,
            }
        }
    said = says.get(method)
    if said is None:
        return {"error": {"code": -32601, "message": f"no method {method}"}}
    if "error" in said:
        return {"error": said["error"]}
    if "endless" in said:
        return {"result": {**said["endless"], "nextCursor": str(int(params.get("cursor") or 0) + 1)}}
    return {"result": said}


def main() -> None:
    says = json.loads(Path(sys.argv[1]).read_text())
    journal = Path(says["journal"]) if "journal" in says else None
    for line in sys.stdin:
        message = json.loads(line)
        if journal:
            with journal.open("a") as file:
                file.write(message.get("method", "") + "\n")
        if "id" in message and "method" in message:
            reply = answer(message["method"], message.get("params") or {}, says)
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **reply}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
