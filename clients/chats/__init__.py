"""Chats as their clients see them.

Must not ask a chat for what its history tells.
"""
