"""Documents at addresses, of hosts that the worker's settings allow.

Must never fetch what is within a private network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from ...knowledge.sources.source import IN_A_BUCKET, MAX_DOCUMENT_BYTES, SourceError, too_large

_MOST_REDIRECTS: Final = 5
_SECONDS: Final = 60.0
_PORTS: Final = {"http": 80, "https": 443}


class WebSource:
    """Fetches documents of allowed hosts.

    A name may lead anywhere, and to another place a moment later: so it is looked up once, each of its addresses has to
    be a public one, and that very address is what is connected to. A redirect is another address, judged anew.

    Args:
        hosts: Names of hosts, such as `docs.example.com`, or `.example.com` for all below it. A host that is named by
            its address may be a private one. Buckets, as `s3://BUCKET`, are passed over.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        names = (host.strip().lower() for host in hosts if not host.startswith(IN_A_BUCKET))
        self._hosts = tuple(filter(None, names))
        self._client: httpx2.AsyncClient | None = None

    async def fetch(self, url: str) -> bytes:
        """Return the content of an address.

        Raises:
            SourceError: It may not be fetched, or cannot be.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                for _ in range(_MOST_REDIRECTS + 1):
                    content, further = await self._once(url)
                    if not further:
                        return content
                    url = urljoin(url, further)
        except TimeoutError:
            raise SourceError(f"it took longer than {_SECONDS:.0f} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise SourceError(f"it cannot be fetched ({type(error).__name__}: {error})") from None
        raise SourceError(f"it redirects more than {_MOST_REDIRECTS} times")

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()
            self._client = None

    async def _once(self, url: str) -> tuple[bytes, str]:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in _PORTS or not host:
            raise SourceError(f"{url!r} is no https:// address")
        if not any(host == one or (one.startswith(".") and host.endswith(one)) for one in self._hosts):
            known = ", ".join(self._hosts) or "none"
            raise SourceError(
                f"the host {host!r} is not allowed (allowed: {known}): name it in SOSTENUTO_INGEST_HOSTS, or in "
                "ingest_hosts of sostenuto.toml"
            )
        address = await self._address(host, parts.port or _PORTS[parts.scheme])
        shown = f"[{address}]" if ":" in address else address
        target = httpx2.URL(url).copy_with(host=shown)
        headers = {"host": parts.netloc.rpartition("@")[2], "accept-encoding": "identity"}
        if self._client is None:
            self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False)
        async with self._client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as response:
            if response.is_redirect:
                return b"", response.headers["location"]
            if response.status_code != 200:
                raise SourceError(f"its host answers {response.status_code} {response.reason_phrase}")
            content = bytearray()
            async for piece in response.aiter_raw():
                content += piece
                if len(content) > MAX_DOCUMENT_BYTES:
                    raise SourceError(too_large(len(content)))
            return bytes(content), ""

    async def _address(self, host: str, port: int) -> str:
        """Return the address of a host, after all of them were found to be public."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        # Whoever writes an address into the settings means that one.
        if host not in self._hosts or host != addresses[0]:
            for address in addresses:
                ip = ipaddress.ip_address(address)
                if not ip.is_global or ip.is_multicast:
                    raise SourceError(f"the host {host!r} is at {address}, which is no public address: it is not asked")
        return addresses[0]
