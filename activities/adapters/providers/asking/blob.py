"""Pictures and documents in the forms that providers take.

Must not fetch any address itself.
"""

from __future__ import annotations

import base64
import binascii

from .....contracts.errors import InvalidRequest
from .....contracts.message import FilePart, ImagePart

Blob = ImagePart | FilePart

_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/yaml", "application/toml"})


def blob_url(part: Blob) -> str:
    """Return the part's address.

    Where it has none, its content as a data URL.
    """
    return part.url or f"data:{part.media_type};base64,{part.data}"


def is_text(part: Blob) -> bool:
    """Return whether the part is a document of plain text whose content is here."""
    return part.data is not None and (part.media_type.startswith("text/") or part.media_type in _TEXT_TYPES)


def blob_text(part: Blob) -> str:
    """Return the text of a part that `is_text`.

    Raises:
        InvalidRequest: The data does not have the form that the part's type says.
    """
    try:
        return base64.b64decode(part.data or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"the {part.kind} part of type {part.media_type} is not base64 of UTF-8: {error}"
        ) from None


def unsupported(part: object, provider: str, takes: str) -> InvalidRequest:
    """Return the error for a part that a provider cannot be sent."""
    kind = getattr(part, "kind", type(part).__name__)
    detail = f" of type {part.media_type}{' by url' if part.url else ''}" if isinstance(part, Blob) else ""
    return InvalidRequest(f"{provider} takes no {kind} part{detail} here: {takes}")
