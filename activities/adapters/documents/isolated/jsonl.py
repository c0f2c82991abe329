"""JSON Lines that are large: one of them may be all of it.

Must not differ from what small ones become.
"""

from __future__ import annotations

from .....contracts.collection.document import Document
from ..json_records import jsonl_text
from ..plain import clean, decode


def read_jsonl(data: bytes) -> Document:
    """Return the text of JSON Lines.

    Raises:
        DocumentError: A line is no JSON, too deep, or all are too long.
    """
    return Document(jsonl_text(clean(decode(data))), "text")
