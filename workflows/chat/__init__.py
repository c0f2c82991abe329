"""Chats: one workflow for each conversation.

Must not know how a runnable answers.
"""
