"""How people start, watch and inspect runs.

The client, its event stream, the command line.

Must not import workers, but for the commands that start one, when they run.
"""
