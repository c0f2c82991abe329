"""Commands that set up the machine on which they are typed.

Must not ask a server.
"""
