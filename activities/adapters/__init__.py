"""The only code that imports the SDKs of providers and of MCP.

Built and injected by workers.

Must not be imported by workflows, connection or clients.
"""
