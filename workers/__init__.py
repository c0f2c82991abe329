"""Composition: settings, the worker, and the adapters that it is given.

Must not decide anything about a run, and nothing below may import it.
"""
