"""Keys that a worker knows are known as such, also where they are a part of a value, and leave in no text."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry.disclosure import Disclosure

VAULT = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "-_8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0")
ENVIRON = {
    "SHOP_API_KEY": "key-1-of-the-shop",
    "SHOP_TOKEN": "token-2-of-the-shop",
    "DATABASE_URL": "postgresql://shop:p%40ss-3-word@db/shop",
    "SOSTENUTO_VAULT_KEYS": f"a:{VAULT[0]},b:{VAULT[1]}",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20key-4%3D, x-key=key-5-plain",
    "PATH": "/usr/bin:/bin",
    "ODD_URL": "http://[not an address",
    "HOME_PAGE": "https://shop.example/about",
}
HIDDEN = [
    "key-1-of-the-shop",
    "token-2-of-the-shop",
    "p%40ss-3-word",
    "p@ss-3-word",
    "Bearer%20key-4%3D",
    *VAULT,
    "key-4=",
    "key-5-plain",
]


@pytest.mark.parametrize("secret", [*HIDDEN, "sk-6-settings", "redis-7-word"])
def test_no_key_leaves(secret: str) -> None:
    settings = Settings(
        openai_api_key=SecretStr("sk-6-settings"), redis_url=SecretStr("redis://:redis-7-word@127.0.0.1:1/0")
    )
    environ = {**ENVIRON, "SOSTENUTO_REDIS_URL": "redis://:redis-7-word@127.0.0.1:1/0"}
    disclosure = Disclosure("on", settings.secrets(environ))
    for text in (f"It is {secret}.", json.dumps({"it": secret})):
        assert secret not in disclosure.safe(text)


def test_what_is_none_stays() -> None:
    text = "Bearer of https://shop.example/about, at db/shop in /usr/bin:/bin: authorization"
    assert Disclosure("on", Settings().secrets(ENVIRON)).safe(text) == text
