"""JSON that is large: its values take many times the memory of its text.

Must not differ from what small JSON becomes.
"""

from __future__ import annotations

from .....contracts.collection.document import Document
from ..json_records import json_text
from ..plain import clean, decode


def read_json(data: bytes) -> Document:
    """Return the text of JSON.

    Raises:
        DocumentError: It is no JSON, too deep or too long.
    """
    return Document(json_text(clean(decode(data))), "text")
