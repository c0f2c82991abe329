"""How a key makes placeholders, and seals and opens values."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .keys import VaultKey
from .placeholders import placeholder_of

_VERSION: Final = "v1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MARK_BYTES: Final = 5
"""40 bits, which are 8 characters in base32: of 1,000 values of a kind two are alike once in two million scopes."""


class Seal:
    """What one key does in one scope.

    All of it is the same at each call, so that an activity that is tried again gives the same bytes. A token is
    AES-256-GCM, whose nonce is an HMAC of scope, kind and value, by a key that is derived for nonces alone. What GCM
    must never have is two plaintexts under one nonce. Here a nonce belongs to one plaintext: where any of the three
    differs the nonce does (chance makes two of 2^96 alike), and where none does the whole token is the same. That says
    that the value is the same, which the placeholder says anyway; a token tells besides how long its value is.

    Version, key and placeholder are authenticated: in the place of another a token does not open. The scope is in the
    placeholder: what a fork takes along opens in the fork, too.

    Args:
        key: What it does it with.
        scope: Where it holds: the id of the root run or of the chat.
    """

    def __init__(self, key: VaultKey, scope: str) -> None:
        self._key_id, self._scope = key.id, scope
        self._mark_key = _derived(key.secret, "placeholder")
        self._nonce_key = _derived(key.secret, "nonce")
        self._cipher = AESGCM(_derived(key.secret, "seal"))

    def placeholder(self, kind: str, value: str) -> str:
        """Return what stands for a value: the same for the same value.

        Raises:
            SpecError: The kind has no such name.
        """
        digest = hmac.digest(self._mark_key, _joined(self._scope, kind, value), "sha256")
        return placeholder_of(kind, base64.b32encode(digest[:_MARK_BYTES]).decode())

    def sealed(self, kind: str, value: str, placeholder: str) -> str:
        """Return a value as a token.

        Version, id of the key, and nonce and ciphertext in base64url, with a point between two.
        """
        nonce = hmac.digest(self._nonce_key, _joined(self._scope, kind, value), "sha256")[:_NONCE_BYTES]
        body = nonce + self._cipher.encrypt(nonce, _bytes(value), _bound_to(self._key_id, placeholder))
        return f"{_VERSION}.{self._key_id}.{base64.urlsafe_b64encode(body).decode()}"


class Opener:
    """Opens what one key has sealed.

    Args:
        key: The key.
    """

    def __init__(self, key: VaultKey) -> None:
        self._key_id = key.id
        self._cipher = AESGCM(_derived(key.secret, "seal"))

    def opened(self, token: str, placeholder: str) -> str | None:
        """Return the value of a token; None where it does not open."""
        version, _, rest = token.partition(".")
        key_id, _, written = rest.partition(".")
        body = _decoded(written)
        if version != _VERSION or key_id != self._key_id or len(body) < _NONCE_BYTES + _TAG_BYTES:
            return None
        nonce, sealed = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, _bound_to(key_id, placeholder)).decode(errors="surrogatepass")
        except InvalidTag:
            return None


def _bound_to(key_id: str, placeholder: str) -> bytes:
    return _joined(_VERSION, key_id, placeholder)


def key_id_of(token: str) -> str:
    """Return the id of the key that sealed a token; nothing where it names none."""
    return token.split(".", 2)[1] if token.count(".") == 2 else ""


def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"sostenuto vault 1 {purpose}".encode()).derive(secret)


def _joined(*parts: str) -> bytes:
    """Return texts as bytes of which no others are the same."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in map(_bytes, parts))


def _bytes(text: str) -> bytes:
    # Half of an emoji is hidden like everything else.
    return text.encode(errors="surrogatepass")


def _decoded(written: str) -> bytes:
    """Return the bytes of a text in base64url; none where it is not written as we do."""
    try:
        body = base64.b64decode(written.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return body if base64.urlsafe_b64encode(body).decode() == written else b""
