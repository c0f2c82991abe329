"""The folders of shards on the disk, and how one takes another's place.

Whenever the process is killed in between, each set is there whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".shard"
_HALF: Final = ".new"
"""Half made, or half deleted: nobody's."""
_FORMER: Final = ".old"
"""What another one is about to take the place of."""


class ShardFolders:
    """The folder of each set in a directory.

    Takes back what a process that was killed had put aside.

    Args:
        directory: Where they are. It exists, and no other process uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for former in directory.glob(f"*{_FORMER}"):
            place = former.with_suffix(_SUFFIX)
            if place.exists():
                _delete(former)
            else:
                former.rename(place)

    def names(self) -> list[str]:
        """Return the names of all sets."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self._directory.glob(f"*{_SUFFIX}"))

    def of(self, name: str) -> Path:
        """Return where the folder of a set is, or would be."""
        return self._directory / f"{name}{_SUFFIX}"

    def half_made(self, name: str) -> Path:
        """Return where to make a new one, which `put` puts into its place."""
        half = self.of(name).with_suffix(_HALF)
        shutil.rmtree(half, ignore_errors=True)
        return half

    def put(self, name: str, whole: Path) -> None:
        """Put a whole folder where there is none."""
        whole.rename(self.of(name))

    def replace(self, name: str, whole: Path) -> None:
        """Let a whole folder take the place of a set's own, which is deleted.

        Raises:
            OSError: It cannot: the set stays as it was.
        """
        place, former = self.of(name), self.of(name).with_suffix(_FORMER)
        place.rename(former)
        try:
            whole.rename(place)
        except OSError:
            former.rename(place)
            raise
        _delete(former)

    def delete(self, name: str) -> None:
        """Delete a set's folder, where there is one."""
        if self.of(name).exists():
            _delete(self.of(name))


def _delete(path: Path) -> None:
    # Gone in one step: what is left of it is swept with the next one that is made so.
    gone = path.with_suffix(_HALF)
    shutil.rmtree(gone, ignore_errors=True)
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
