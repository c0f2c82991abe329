"""What every call has, whatever it calls: heartbeat, failure, bound of its output, the query to its own workflow.

Must not know what is called.
"""
