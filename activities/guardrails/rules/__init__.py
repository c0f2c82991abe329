"""Rules that texts keep to or break: patterns, lengths, languages, addresses.

Must not ask a model, open an address or say anything of the text that breaks one.
"""
