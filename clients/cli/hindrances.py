"""Tells on a terminal why nothing happens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from ..waiting import noticing_hindrances
from .step_lines import hindrance_line

if TYPE_CHECKING:
    from ..chats.chat import Chat
    from ..hindrances import Hindrance
    from ..ingest import Ingest
    from ..run import Run


def telling_hindrances(
    waits: Run | Chat | Ingest, say: Callable[[str], None], on_unserved: Callable[[], None] = lambda: None
) -> AbstractAsyncContextManager[Callable[[], None]]:
    """Say in the block what holds something up, as `noticing_hindrances`.

    Args:
        waits: What may be held up.
        say: Told each thing in a line.
        on_unserved: Called where it waits for a worker that is not there.
    """

    def tell(hindrance: Hindrance) -> None:
        say(hindrance_line(hindrance))
        if hindrance.is_unserved:
            on_unserved()

    return noticing_hindrances(waits.hindrances, tell)
