"""Says what an installation lacks, by the extra that brings it.

Before anything is fetched or started for nothing.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from ...contracts.errors import SetupError
from .temporal_server import find_program

_OF_MODEL: Final = ("numpy", "onnxruntime", "tokenizers", "xllamacpp")
_OF_WORKERS: Final = ("anthropic", "genai_prices", "jsonschema", "mcp", "openai", "regex")
_OF_WEIGHTS: Final = ("onnxruntime", "tokenizers", "xllamacpp")
_HOW: Final = "pip install 'sostenuto[local]'"


def check_stack_installed(*, model: bool, workers: bool) -> None:
    """Check that the parts of an embedded stack are installed.

    Args:
        model: Whether the local model is one of them.
        workers: Whether workers are.

    Raises:
        SetupError: Something is not installed; says how to get it.
    """
    find_program()
    missing = _missing((*(_OF_MODEL if model else ()), *(_OF_WORKERS if workers else ())))
    if missing:
        raise SetupError(f"what the embedded stack needs is not installed ({', '.join(missing)}): {_HOW}")


def check_weights_needed() -> None:
    """Check that something is installed that loads weights.

    Raises:
        SetupError: Nothing is; says how to get it.
    """
    if len(_missing(_OF_WEIGHTS)) == len(_OF_WEIGHTS):
        raise SetupError(f"nothing that loads weights is installed here, so none are fetched: {_HOW} first")


def _missing(packages: tuple[str, ...]) -> list[str]:
    # Found and not loaded: some of them take a second.
    return [package for package in packages if find_spec(package) is None]
