"""The only code that imports SDKs of providers, of MCP and of models.

Built and injected by workers.

Must not be imported by workflows, connection or clients.
"""
