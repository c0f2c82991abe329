"""A large value as one short text: its JSON, compressed.

For what an input has to repeat although the history has it already. Workflows decide nothing by its length.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any, Final

from pydantic import FieldSerializationInfo, SerializerFunctionWrapHandler
from pydantic_core import from_json, to_json

from .limits import MAX_UNPACKED_BYTES, RAW, reads_back

try:
    # A Python that was built where its library is missing has none. It takes half of what zlib leaves of a transcript.
    import bz2
except ImportError:
    _CAN_PACK = False
else:
    _CAN_PACK = True

_MARK: Final = "bz2:"
_LEAST_BYTES: Final = 4096
"""What is shorter stays as it is, for people to read."""


def pack(written: Any) -> Any:
    """Pack JSON into text, of prose a third as long.

    Left as it is: what is short or gets no shorter, and what could not be read again, which its writer refuses.
    """
    content = to_json(written)
    if not _CAN_PACK or not _LEAST_BYTES <= len(content) <= MAX_UNPACKED_BYTES or not reads_back(content):
        return written
    text = _MARK + b64encode(bz2.compress(content)).decode()
    return text if len(text) < len(content) else written


def written_packed(value: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
    """Serialize a field packed, but where it is to be read as it is."""
    written = handler(value)
    return written if info.context == RAW else pack(written)


def unpack(value: Any) -> Any:
    """Unpack a text that was packed; leave anything else as it is.

    Raises:
        ValueError: It is damaged, or holds more than anything that is packed here.
    """
    if not isinstance(value, str) or not value.startswith(_MARK):
        return value
    if not _CAN_PACK:
        raise ValueError("is packed, and this Python was built without bz2: use one that has it")
    reader = bz2.BZ2Decompressor()
    try:
        content = reader.decompress(b64decode(value.removeprefix(_MARK), validate=True), MAX_UNPACKED_BYTES)
    except (binascii.Error, OSError) as error:
        raise ValueError(f"is damaged: {error}") from None
    if not reader.eof:
        raise ValueError(f"is cut short, or holds more than {MAX_UNPACKED_BYTES:,} bytes")
    return from_json(content)
