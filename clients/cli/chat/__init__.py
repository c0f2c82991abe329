"""A chat on the terminal: what is written, and how an answer is shown.

Must not begin a chat, nor serve the app that answers.
"""
