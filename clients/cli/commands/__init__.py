"""The commands, one file each: arguments, then what they do.

A command is imported for every command line, so it must not import the Temporal SDK, rich or workers at its top.
"""
