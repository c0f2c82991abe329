"""What the protocols share in writing requests.

Must not know a protocol, nor send anything.
"""
