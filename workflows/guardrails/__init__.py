"""What guards a workflow: guardrails by place, and what they left to remember.

Must not look into a text: activities do.
"""
