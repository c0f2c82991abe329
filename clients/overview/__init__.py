"""What all runs of a namespace do, what is in trouble and what it spends.

Must not change anything on the server, nor ask it more the more runs there are.
"""
