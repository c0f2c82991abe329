"""What a history means: its events as the events of a run.

Pure: no clock, no network, no task.

Must not read a history from anywhere.
"""
