"""An MCP server written by hand, which says what no SDK would let it say.

    python raw_mcp_server.py FILE [http [sse]]

FILE has JSON: for each method the result or `{"error": {...}}` that it answers, and a `journal` to which it writes the
methods that it was asked for, and its port as `port N`. Of tools it has one of these, too:

- `{"endless": {...}}`: a page that has always a next one
- `{"pages": {"": {...}, "cursor": {...}}}`: a page for each cursor; one that is null is answered by its death, and
  one that is not there by nothing
- `{"written": "..."}`: the JSON of the result, letter by letter
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SAYS = json.loads(Path(sys.argv[1]).read_text())


def note(line: str) -> None:
    if "journal" in SAYS:
        with Path(SAYS["journal"]).open("a") as file:
            file.write(line + "\n")


def answered(line: str | bytes) -> str:
    """The answer to a message; empty where there is none."""
    message = json.loads(line)
    method, params = message.get("method", ""), message.get("params") or {}
    note(method)
    if "id" not in message or not method:
        return ""
    said = SAYS.get(method)
    if said and "pages" in said:
        cursor = params.get("cursor") or ""
        if cursor not in said["pages"]:
            return ""
        said = said["pages"][cursor]
        if said is None:
            os._exit(3)
    number = json.dumps(message["id"])
    if said and "written" in said:
        return f'{{"jsonrpc": "2.0", "id": {number}, "result": {said["written"]}}}'
    return f'{{"jsonrpc": "2.0", "id": {number}, {json.dumps(outcome(method, params, said))[1:]}'


def outcome(method: str, params: dict[str, Any], said: Any) -> dict[str, Any]:
    if method == "initialize":
        about = {"name": "raw", "version": "1"}
        return {
            "result": {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": about,
            }
        }
    if said is None:
        return {"error": {"code": -32601, "message": f"no method {method}"}}
    if "error" in said:
        return {"error": said["error"]}
    if "endless" in said:
        return {"result": {**said["endless"], "nextCursor": str(int(params.get("cursor") or 0) + 1)}}
    return {"result": said}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = answered(body)
        streams = "sse" in sys.argv and answer
        self.send_response(200 if answer else 202)
        self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
        written = (f"event: message\ndata: {answer}\n\n" if streams else answer).encode()
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def do_GET(self) -> None:
        self.send_error(405)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    if "http" in sys.argv:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        note(f"port {server.server_port}")
        server.serve_forever()
    for line in sys.stdin:
        if answer := answered(line):
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
