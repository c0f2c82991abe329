"""Sessions with MCP servers: their processes, transports and results.

The only code that imports the MCP SDK. Must not decide which tool is called.
"""
