"""The app whose workers `benchmarks.knowledge` starts: one collection."""

from __future__ import annotations

from sostenuto import App, Collection

COLLECTION = Collection("corpus")
app = App(collections=[COLLECTION])
