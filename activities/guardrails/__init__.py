"""What is looked for in texts that go in and out.

Must not know runs, models or where the texts come from.
"""
