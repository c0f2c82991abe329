"""All runs on one screen: what is shown of them, and the keys.

Must not ask the server for anything but by a lookout and the steps of the run that is opened.
"""
