"""A hook may be sync or async, and whatever it does, what comes of it is an answer or words."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.control.hook import HookError, hook_says


@pytest.fixture
async def user() -> Any:
    """Runs the hooks."""
    code = UserCode(2)
    async with code.running():
        yield code


async def _asleep(said: str) -> str:
    await asyncio.sleep(0)
    return said


def _plain(said: str) -> str:
    return said


async def _hangs() -> None:
    await asyncio.Event().wait()


async def _cancels() -> None:
    raise asyncio.CancelledError


def _fails() -> None:
    raise SystemExit("out")


async def _groups() -> None:
    raise ExceptionGroup("of one", [OSError("down")])


async def _asked(user: UserCode, hook: Callable[[], Any], seconds: float = 60) -> Any:
    return await hook_says(user, "pay", "when=", hook, is_async=inspect.iscoroutinefunction(hook), seconds=seconds)


@pytest.mark.parametrize("hook", [partial(_asleep, "yes"), partial(_plain, "yes"), lambda: _asleep("yes")])
async def test_what_it_says(user: UserCode, hook: Callable[[], Any]) -> None:
    assert await _asked(user, hook) == "yes"


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (_fails, "its when= raised SystemExit: out"),
        (_groups, "its when= raised OSError: down"),
        (_cancels, "its when= raised CancelledError"),
        (_hangs, "its when= did not end within 0.01 s"),
    ],
)
async def test_why_it_says_nothing(user: UserCode, hook: Callable[[], Any], words: str) -> None:
    with pytest.raises(HookError, match=words):
        await _asked(user, hook, seconds=0.01 if hook is _hangs else 60)
