"""An MCP server whose tools return, or fail by, what stands in files: nothing that they are asked for names it.

python leaking_server.py TOLD FAILING
"""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

READ = ToolAnnotations(read_only_hint=True)

server = MCPServer("leaking", log_level="CRITICAL")


@server.tool(annotations=READ)
def tell() -> str:
    """Tell what stands there."""
    return Path(sys.argv[1]).read_text()


@server.tool(annotations=READ)
def fail() -> str:
    """Fail by it."""
    raise ToolError(f"cannot read {Path(sys.argv[2]).read_text()}")


if __name__ == "__main__":
    server.run()
