"""Documents: files of many formats become text, and text becomes chunks.

Must not reach the network, nor know where documents come from and where chunks go.
"""
