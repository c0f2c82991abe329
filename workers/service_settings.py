"""Services that a worker calls: compatible providers of models, and rerankers.

Their tables in the settings, with their keys from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from ..contracts.errors import SetupError

_COMPATIBLE = re.compile(r"^SOSTENUTO_PROVIDER_([A-Z0-9][A-Z0-9_]*)_(URL|KEY)$")
NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]*$")
"""What a service can be called."""


class _Service(BaseModel):
    """What is reached at an address, by a key from the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key_env: str = ""
    """Environment variable that holds the key. Empty where none is needed."""
    api_key: SecretStr | None = None
    """The key itself, from that variable."""

    @field_validator("base_url", "url", check_fields=False)
    @classmethod
    def _address(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _sendable(cls, key: SecretStr | None) -> SecretStr | None:
        return checked_key(key)


class CompatibleProvider(_Service):
    """A provider that speaks the Chat Completions protocol."""

    base_url: str
    """Address up to and without `/chat/completions`, such as `https://api.groq.com/openai/v1`."""
    dialect: str = ""
    """Whose dialect it speaks, such as `vllm`. Empty: what its address or its name tell."""


class RerankerSettings(_Service):
    """A service that reranks, in the form of Cohere, Jina and Voyage."""

    url: str
    """Whole address that is posted to, such as `https://api.jina.ai/v1/rerank`."""


_RERANKERS: Final = {
    "cohere": {"url": "https://api.cohere.com/v2/rerank", "api_key_env": "COHERE_API_KEY"},
    "jina": {"url": "https://api.jina.ai/v1/rerank", "api_key_env": "JINA_API_KEY"},
    "voyage": {"url": "https://api.voyageai.com/v1/rerank", "api_key_env": "VOYAGE_API_KEY"},
}
"""Those that are known, each of which a table of its name changes."""


def providers_of(given: Any, environ: Mapping[str, str], source: str) -> Any:
    """Return the compatible providers with their keys.

    Those of the file first, then over them those of the environment.
    """
    if not isinstance(given, dict) or not all(isinstance(provider, dict) for provider in given.values()):
        raise SetupError(f"{source}: providers: write each as a table [providers.NAME] with a base_url")
    providers: dict[str, dict[str, Any]] = {}
    for name, provider in given.items():
        _check_no_key(provider, f"{source}: providers.{name}")
        providers[name] = dict(provider)
    for variable in sorted(environ):
        found = _COMPATIBLE.match(variable)
        if found and environ[variable]:
            provider = providers.setdefault(found[1].lower(), {})
            provider |= {"base_url": environ[variable]} if found[2] == "URL" else {"api_key_env": variable}
    for name, provider in providers.items():
        _check_fields(provider, CompatibleProvider, f"{source}: providers.{name}")
        if "base_url" not in provider:
            upper = name.upper().replace("-", "_")
            raise SetupError(
                f"provider {name!r} has no address: set SOSTENUTO_PROVIDER_{upper}_URL "
                f"or base_url under [providers.{name}] in {source}"
            )
        key = environ.get(str(provider.get("api_key_env", "")))
        provider["api_key"] = key or None
    return providers


def rerankers_of(given: Any, environ: Mapping[str, str], source: str) -> Any:
    """Return the services that rerank with their keys.

    Those that are known, and over them those of the file.
    """
    if not isinstance(given, dict) or not all(isinstance(service, dict) for service in given.values()):
        raise SetupError(f"{source}: rerankers: write each as a table [rerankers.NAME] with a url")
    services: dict[str, dict[str, Any]] = {name: dict(service) for name, service in _RERANKERS.items()}
    for name, service in given.items():
        where = f"{source}: rerankers.{name}"
        if not NAME.match(name):
            raise SetupError(f"{where}: is not a name: it has lower-case letters, digits, '_' and '-'")
        _check_no_key(service, where)
        _check_fields(service, RerankerSettings, where)
        services[name] = services.get(name, {}) | service
        if "url" not in services[name]:
            raise SetupError(f"{where}: the service has no address: set its url")
    return {
        name: service | {"api_key": environ.get(str(service.get("api_key_env", ""))) or None}
        for name, service in services.items()
    }


def _check_no_key(table: Mapping[str, Any], where: str) -> None:
    if "api_key" in table:
        raise SetupError(f"{where}.api_key: name its environment variable as api_key_env instead")


def _check_fields(table: Mapping[str, Any], kind: type[BaseModel], where: str) -> None:
    for field in table.keys() - kind.model_fields.keys():
        close = get_close_matches(field, kind.model_fields, n=1)
        known = ", ".join(sorted(kind.model_fields.keys() - {"api_key"}))
        meant = f"did you mean {close[0]!r}?" if close else f"there are {known}"
        raise SetupError(f"{where}.{field}: no such setting: {meant}")


def secret_of(key: SecretStr | None) -> str | None:
    """Return a key as it is sent; None for none."""
    # A line break at its end would not be sent, but told in the error.
    return key.get_secret_value().strip() or None if key else None


def checked_url(url: str) -> str:
    """Refuse what is no address of a server."""
    try:
        parts = urlsplit(url)
        found = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # read for its error
    except ValueError:
        found = False
    if not found or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} is not an address: it begins with http:// or https:// and names a host")
    return url


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, or of a port of this machine alone."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{address!r} is no address to listen at: write a port such as 9464, or HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def checked_key(key: SecretStr | None) -> SecretStr | None:
    """Refuse a key that could not be sent, which an error would then quote."""
    said = key.get_secret_value().strip() if key else ""
    odd = next((index for index, char in enumerate(said, 1) if not "!" <= char <= "~"), 0)
    if odd:
        raise ValueError(
            f"its character {odd} of {len(said)} can stand in no key (it is a blank, a line break, or no ASCII): "
            "copy the key again"
        )
    return key


KNOWN_RERANKERS: Final = {name: RerankerSettings(**said) for name, said in _RERANKERS.items()}
