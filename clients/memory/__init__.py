"""What a client does with memories: it asks the workflow of their scope.

Must not reach a store.
"""
