"""How a tool's function is read: what it is, its types, its docstring.

Must not know tools, nor what a model does with them.
"""
