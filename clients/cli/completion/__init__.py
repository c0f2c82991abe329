"""Scripts by which shells complete what is typed, made of the parser.

Must not know the commands, or ask a server.
"""
