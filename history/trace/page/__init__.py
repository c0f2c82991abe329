"""The page that explains a run: one HTML file that needs nothing but a browser.

Must not load anything from outside, nor let a text of a run be more than text.
"""
