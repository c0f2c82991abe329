"""What goes in is looked at before it is sent, and originals are put back.

Must not decide what is looked for: guardrails say it.
"""
