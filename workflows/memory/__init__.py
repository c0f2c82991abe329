"""Long-term memory around turns, and the workflow of the changes of a scope.

Must not do I/O, nor decide what two texts have in common.
"""
