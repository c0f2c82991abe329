"""Sessions with MCP servers: their processes, their transports, and what they send.

The only code that imports the MCP SDK. Must not decide which tool is called.
"""
