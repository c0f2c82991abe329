"""What a worker says of a call that may need an approval.

Must not make the call.
"""
