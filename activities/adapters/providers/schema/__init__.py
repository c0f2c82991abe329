"""JSON schemas as providers take them, of tools and of answers.

Must not know a provider by name, nor judge values: the original schema is checked elsewhere.
"""
