"""What clients ask of collections, and runs of code-first workflows.

Must not start runs.
"""
