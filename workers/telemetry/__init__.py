"""Spans and metrics of what runs do, for the tools that people watch with.

Made of the histories of the runs.

Must not add to a history, delay a run, or fail one.
"""
