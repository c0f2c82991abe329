"""What every call has: heartbeat, failure, size limit, query to its workflow.

Must not know what is called.
"""
