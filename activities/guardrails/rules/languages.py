"""The language of a text."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from ....contracts.errors import SetupError

SURE: Final = 0.5
"""How probable a language has to be. A text whose likeliest one is less so is in none that is known."""
_LESS_THAN_A_LANGUAGE: Final = {"arz": "ar", "ary": "ar", "nn": "no", "nb": "no", "uzs": "uz", "wuu": "zh", "yue": "zh"}
"""Those that people mean when they name a larger one."""
_TWO_LETTERS: Final = 2


def language_of(text: str) -> str:
    """Return the language of a text as a code of ISO 639-1.

    Empty where that cannot be told: the text is too short, no language, or in one without such a code.

    Raises:
        SetupError: The library is not installed.
    """
    code, probability = _identifier().classify(text)
    whole = larger_language(code)
    return whole if probability >= SURE and len(whole) == _TWO_LETTERS else ""


def larger_language(code: str) -> str:
    """Return the language that one is a kind of, or itself: Norwegian for Nynorsk."""
    return _LESS_THAN_A_LANGUAGE.get(code, code)


def known_languages() -> list[str]:
    """Return the codes of all languages that can be told.

    Raises:
        SetupError: The library is not installed.
    """
    labels = {larger_language(label) for label in _identifier().labels} | _LESS_THAN_A_LANGUAGE.keys()
    return sorted(label for label in labels if len(label) == _TWO_LETTERS)


@cache
def _identifier() -> Any:
    try:
        # It takes three quarters of a second.
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - only for workers with such rules
    except ImportError as error:
        raise SetupError(
            f"languages need the package py3langid ({error}): pip install 'sostenuto[guardrails]'"
        ) from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
