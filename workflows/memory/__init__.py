"""Keeps prompts within their windows: what leaves them, and what takes its place.

Must not ask a model or send anything by itself: it is handed what does.
"""
