"""Whether a text is JSON of a schema.

Must not fetch what a schema refers to, or tell anything of the text that does not fit.
"""
