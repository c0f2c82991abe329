"""What is read and kept for memory. Must not decide what leaves a prompt."""
