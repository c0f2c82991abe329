"""What people's code is given in a call besides its arguments.

The context of the run, and what an app's tools share. Must not know whose code it is.
"""
