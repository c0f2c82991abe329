"""The port to a vector database: points with vectors and payloads, in named sets.

Must not know of documents, versions or tenants: `collections` builds them on this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from ....contracts.contract import Contract
from ....contracts.errors import SostenutoError

DENSE: Final = "dense"
SPARSE: Final = "sparse"


class StoreUnavailable(SostenutoError):  # noqa: N818 - named like the model errors
    """The vector database cannot be reached now: the same call may work later."""


class StoreError(SostenutoError):
    """The vector database refuses a call: the same call would be refused again."""


class SparseVector(Contract):
    """A vector most of whose numbers are 0."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class Where(Contract):
    """A condition on one place of a payload. Several hold together.

    Truth values are not compared: the embedded engine takes them for numbers.
    """

    key: str
    any_of: tuple[str | int | float, ...] = ()
    """Its value is one of these."""
    at_least: str | int | float | None = None
    at_most: str | int | float | None = None
    above: str | int | float | None = None
    """Its value is more than this."""


class Layout(Contract):
    """What a set of points is made of."""

    dimensions: int
    """Length of the dense vectors; 0 for points without vectors."""
    indexes: dict[str, Literal["text", "integer", "number", "date"]] = {}
    """Places of the payload that conditions name, with what stands there. Texts are compared whole."""


class Point(Contract):
    """What is stored: vectors by which it is found, and a payload."""

    id: str
    """A UUID."""
    payload: dict[str, Any] = {}
    dense: str = ""
    """float32 numbers, little-endian, in base64: the vector has length 1. Empty: it cannot be found by it."""
    sparse: SparseVector | None = None


class Record(Contract):
    """A point as it is read back, without its vectors."""

    id: str
    payload: dict[str, Any] = {}


class Hit(Contract):
    """A point that a search found."""

    id: str
    score: float
    payload: dict[str, Any] = {}


class Leg(Contract):
    """One way of searching: by the dense or by the sparse vector."""

    dense: str = ""
    """As `Point.dense`. Empty: by the sparse one."""
    sparse: SparseVector | None = None
    limit: int
    """Most hits."""


class VectorStore(Protocol):
    """A vector database, as far as collections use one.

    Every method raises `StoreUnavailable` where the database cannot be reached, and `StoreError` where it refuses.
    What a method has done when it returns is seen by every later call, of other processes too.
    """

    async def sets(self) -> Sequence[str]:
        """Return the names of all sets of points."""
        ...

    async def create(self, name: str, layout: Layout) -> None:
        """Make a set. One that is there already stays, and gets the indexes that it lacks."""
        ...

    async def drop(self, name: str) -> None:
        """Delete a set with all its points. One that is not there is no error."""
        ...

    async def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, in place of those with the same ids."""
        ...

    async def set_payload(self, name: str, where: Sequence[Where], values: Mapping[str, Any]) -> None:
        """Set top-level values in the payload of points.

        Of every one that the conditions hold for.
        """
        ...

    async def delete(self, name: str, where: Sequence[Where]) -> None:
        """Delete every point that the conditions hold for."""
        ...

    async def read(self, name: str, ids: Sequence[str]) -> Sequence[Record]:
        """Return the points of these ids that are there, in any order."""
        ...

    async def scroll(
        self, name: str, where: Sequence[Where], *, limit: int, after: str = "", keys: Sequence[str] = ()
    ) -> Sequence[Record]:
        """Return points that the conditions hold for, in the order of their ids.

        Args:
            name: The set.
            where: What holds for each.
            limit: Most points.
            after: Id of the last one that is known; empty to begin.
            keys: Top-level places of the payload that are wanted; empty for all.
        """
        ...

    async def count(self, name: str, where: Sequence[Where]) -> int:
        """Return how many points the conditions hold for."""
        ...

    async def search(self, name: str, legs: Sequence[Leg], where: Sequence[Where]) -> Sequence[Sequence[Hit]]:
        """Return the nearest points of each leg, the best first.

        The conditions hold for all of them.
        """
        ...

    async def optimize(self, name: str) -> None:
        """Build the indexes that make searches of a large set fast.

        Where that is not done by itself.
        """
        ...

    async def close(self) -> None:
        """Release what is held."""
        ...
