"""What a worker is told from outside.

Reads a worker's own settings. What clients need as well is read in `connection/`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator

from ..connection.running_stack import DEFAULT_STATE_DIR
from ..connection.vault_keys import vault_keys
from ..contracts.errors import SetupError
from ..contracts.names import LOCAL_PROVIDER
from .service_settings import (
    KNOWN_RERANKERS,
    NAME,
    CompatibleProvider,
    RerankerSettings,
    checked_key,
    checked_url,
    providers_of,
    rerankers_of,
    split_address,
)

_FILE = Path("sostenuto.toml")
BUILT_IN = ("anthropic", "openai", LOCAL_PROVIDER, "scripted")
"""Providers that are there without a setting."""
_VARIABLES = {
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "anthropic_base_url": "ANTHROPIC_BASE_URL",
    "openai_api_key": "OPENAI_API_KEY",
    "openai_base_url": "OPENAI_BASE_URL",
    "local_url": "SOSTENUTO_LOCAL_URL",
    "local_model": "SOSTENUTO_LOCAL_MODEL",
    "state_dir": "SOSTENUTO_STATE_DIR",
    "qdrant_url": "SOSTENUTO_QDRANT_URL",
    "qdrant_api_key": "SOSTENUTO_QDRANT_API_KEY",
    "ingest_hosts": "SOSTENUTO_INGEST_HOSTS",
    "redis_url": "SOSTENUTO_REDIS_URL",
    "telemetry": "SOSTENUTO_TELEMETRY",
    "telemetry_content": "SOSTENUTO_TELEMETRY_CONTENT",
    "metrics": "SOSTENUTO_METRICS",
    "logs": "SOSTENUTO_LOGS",
    "script": "SOSTENUTO_SCRIPT",
    "script_log": "SOSTENUTO_SCRIPT_LOG",
}
# Keys do not belong in a file that people commit, and clients, which do not read it, look for the state directory too.
_IN_FILE = frozenset(
    {
        "anthropic_base_url",
        "openai_base_url",
        "local_url",
        "local_model",
        "qdrant_url",
        "ingest_hosts",
        "telemetry",
        "telemetry_content",
        "metrics",
        "logs",
        "providers",
        "models",
        "rerankers",
    }
)


_SECRET_NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


class Settings(BaseModel):
    """A worker's settings, from the environment and from `sostenuto.toml`.

    The environment wins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    """None: the provider's own address."""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    """None: the provider's own address."""
    local_url: str | None = None
    """Address of the local llama.cpp server, without `/v1`. None: there is none."""
    local_model: Path | None = None
    """GGUF file that takes the place of the pulled model. None: the pulled one."""
    state_dir: Path = DEFAULT_STATE_DIR
    """Where weights and the embedded stack's data are. `~` is the home directory."""
    qdrant_url: str | None = None
    """Address of a Qdrant server. None: the store embedded in the workers of this machine."""
    qdrant_api_key: SecretStr | None = None
    ingest_hosts: tuple[str, ...] = ()
    """Hosts of which documents may be fetched, and buckets, as `s3://BUCKET`."""
    redis_url: SecretStr | None = None
    """Address of the Valkey or Redis server by which tokens reach those who watch. None: nobody sees them."""
    telemetry: tuple[str, ...] = ()
    """Where spans of what runs do are sent: `otlp`, `phoenix`, `langfuse`, `langsmith`, `console`, `file`."""
    telemetry_content: Literal["off", "on", "redacted"] = "off"
    """What spans have of what was said: nothing; all; all but what names a person or opens a door."""
    metrics: str | None = None
    """`HOST:PORT`, or a port of this machine alone, at which metrics can be scraped under `/metrics`. None: nowhere."""
    logs: Literal["text", "json"] = "text"
    """How a worker logs: as text, or as one JSON object a line with run, path and trace."""
    script: Path | None = None
    """JSON file of the steps that the `scripted` provider answers with. None: there is no such provider."""
    script_log: Path | None = None
    """File that gets a line for each request to the `scripted` provider."""
    providers: dict[str, CompatibleProvider] = {}
    """OpenAI-compatible providers by name."""
    models: dict[str, dict[str, Any]] = {}
    """What models accept, by `provider/model`, in which `*` stands for anything; over what is known of them."""
    rerankers: dict[str, RerankerSettings] = KNOWN_RERANKERS
    """Services that rerank, by name."""

    @field_validator("ingest_hosts", "telemetry", mode="before")
    @classmethod
    def _listed(cls, listed: Any) -> Any:
        return tuple(listed.replace(",", " ").split()) if isinstance(listed, str) else listed

    @field_validator("metrics")
    @classmethod
    def _host_and_port(cls, address: str | None) -> str | None:
        if address is not None:
            split_address(address)
        return address

    @field_validator("ingest_hosts")
    @classmethod
    def _whole_buckets(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            bucket, _, key = host.removeprefix("s3://").partition("/")
            if host.startswith("s3://") and (key or not bucket):
                raise ValueError(f"{host!r} is not a bucket: write s3://{bucket or 'BUCKET'}, without what is in it")
        return hosts

    @field_validator("anthropic_api_key", "openai_api_key", "qdrant_api_key")
    @classmethod
    def _sendable(cls, key: SecretStr | None) -> SecretStr | None:
        return checked_key(key)

    @field_validator("anthropic_base_url", "openai_base_url", "local_url", "qdrant_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return url and checked_url(url)

    @field_validator("script")
    @classmethod
    def _there(cls, script: Path | None) -> Path | None:
        if script is not None and not script.is_file():
            raise ValueError(f"there is no file {str(script)!r}")
        return script

    @field_validator("state_dir")
    @classmethod
    def _expanded(cls, directory: Path) -> Path:
        return directory.expanduser()

    @field_validator("providers")
    @classmethod
    def _names(cls, providers: dict[str, CompatibleProvider]) -> dict[str, CompatibleProvider]:
        for name in providers:
            if not NAME.match(name):
                raise ValueError(f"{name!r} is not a provider name: it has lower-case letters, digits, '_' and '-'")
            if name in BUILT_IN:
                raise ValueError(f"{name!r} is built in: give this provider another name")
        return providers

    @field_validator("models")
    @classmethod
    def _patterns(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for pattern in models:
            if "/" not in pattern:
                raise ValueError(f'{pattern!r} is not provider/model: write [models."openai/gpt-*"]')
        return models

    def secrets(self, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Return the keys that this worker knows: they never leave in a span or a log.

        Raises:
            SetupError: Those of the vault are wrong.
        """
        keys = [self.anthropic_api_key, self.openai_api_key, self.qdrant_api_key, self.redis_url]
        keys += [one.api_key for one in (*self.providers.values(), *self.rerankers.values())]
        named = (value for name, value in environ.items() if name.endswith(_SECRET_NAMES))
        vault = vault_keys(environ)
        sealing = vault.spellings if vault else ()
        return (*named, *sealing, *_hidden(environ), *(key.get_secret_value().strip() for key in keys if key))

    @property
    def publishes_metrics(self) -> bool:
        """Whether somebody wants figures of this worker."""
        return self.metrics is not None or "otlp" in self.telemetry

    @classmethod
    def load(cls, *, environ: Mapping[str, str] | None = None, toml_path: Path | None = None) -> Settings:
        """Read the settings from the environment and the file.

        Args:
            environ: Variables by name. Default: the process's own.
            toml_path: The file. Default: what `SOSTENUTO_CONFIG` names, else `sostenuto.toml` here if there is one.

        Raises:
            SetupError: The file cannot be read, or something in it or in the environment is wrong; names the place.
        """
        environ = os.environ if environ is None else environ
        path = toml_path or (Path(environ["SOSTENUTO_CONFIG"]) if environ.get("SOSTENUTO_CONFIG") else None)
        given = _read(path) if path else _read(_FILE) if _FILE.exists() else {}
        source = str(path or _FILE)
        values = _checked(given, source)
        values |= {field: environ[name] for field, name in _VARIABLES.items() if environ.get(name)}
        values["providers"] = providers_of(given.get("providers", {}), environ, source)
        values["rerankers"] = rerankers_of(given.get("rerankers", {}), environ, source)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            told = (f"{_place(e['loc'], values, environ, source)}: {_words(e['msg'])}" for e in error.errors())
            raise SetupError("; ".join(told)) from None


def _hidden(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys that are a part of a value.

    Passwords in addresses, and what headers of exporters carry.
    """
    for name, value in environ.items():
        with suppress(ValueError):
            password = urlsplit(value).password if "://" in value else None
            if password:
                yield from {password, unquote(password)}
        if name.endswith("_HEADERS"):
            headers = (pair.partition("=")[2].strip() for pair in value.split(","))
            # Of `Bearer KEY` the key, as it stands there and as it is sent.
            yield from (form.split()[-1] for one in headers if one for form in {one, unquote(one)})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SetupError(f"{path}: there is no such settings file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from None


def _checked(given: dict[str, Any], source: str) -> dict[str, Any]:
    for key in given:
        if key in _VARIABLES and key not in _IN_FILE:
            raise SetupError(f"{source}: {key}: is set by the environment variable {_VARIABLES[key]}, not in this file")
        if key not in _IN_FILE:
            raise SetupError(f"{source}: {key}: no such setting; there are {', '.join(sorted(_IN_FILE))}")
    return {key: value for key, value in given.items() if key not in ("providers", "rerankers")}


def _place(path: tuple[int | str, ...], values: Mapping[str, Any], environ: Mapping[str, str], source: str) -> str:
    """Return where a setting was made, in the environment or in the file."""
    field = str(path[0]) if path else ""
    if environ.get(_VARIABLES.get(field, "")):
        return _VARIABLES[field]
    if field == "providers" and len(path) > 2:
        upper = str(path[1]).upper().replace("-", "_")
        variable = f"SOSTENUTO_PROVIDER_{upper}_URL"
        if path[2] == "api_key":
            return str(values["providers"][path[1]].get("api_key_env"))
        if path[2] == "base_url" and environ.get(variable):
            return variable
    if field == "rerankers" and path[-1] == "api_key":
        return str(values["rerankers"][path[1]].get("api_key_env"))
    return f"{source}: {'.'.join(map(str, path))}"


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
