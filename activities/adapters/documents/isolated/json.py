"""JSON that is large: its values take many times the memory of its text.

Must not differ from what small JSON becomes.
"""

from __future__ import annotations

from ....knowledge.document import LoadedDocument
from ..json_records import json_text
from ..plain import clean, decode


def read_json(data: bytes) -> LoadedDocument:
    """Return the text of JSON.

    Raises:
        DocumentError: It is no JSON, too deep or too long.
    """
    return LoadedDocument(json_text(clean(decode(data))), "text")
