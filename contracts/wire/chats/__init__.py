"""What chats are given, and what is told of them. Must not decide anything."""
