"""What crosses the wire of memory.

Must not decide anything: what is sent is said here, and what it means to a transcript.
"""
