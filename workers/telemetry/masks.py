"""Masks what names a person and what opens a door.

Does no I/O. Each pattern takes a time that grows with the text and no faster, whatever the text is: none begins again
within what it has looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# In JSON a line break is a backslash and a letter, which does not belong to the word that follows.
_AFTER_ESCAPE: Final = r"(?<=\\[nrtbf])"
_BEGINS: Final = rf"(?:(?<![\w.+-])|{_AFTER_ESCAPE})"
_WORD_BEGINS: Final = rf"(?:(?<!\w)|{_AFTER_ESCAPE})"
_NUMBER_BEGINS: Final = rf"(?:(?<![\w.,])|{_AFTER_ESCAPE})"


def _is_iban(text: str) -> bool:
    digits = "".join(str(int(char, 36)) for char in text if char.isalnum())
    turned = digits[6:] + digits[:6]
    return int(turned) % 97 == 1


def _is_card(text: str) -> bool:
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _always(text: str) -> bool:  # noqa: ARG001
    return True


_MASKS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    (
        "[private key]",
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.S),
        _always,
    ),
    ("[token]", re.compile(rf"{_BEGINS}eyJ[\w-]{{8,}}+\.[\w-]{{8,}}+(?:\.[\w-]*+)?"), _always),
    (
        "[key]",
        re.compile(
            rf"{_WORD_BEGINS}(?:(?:(?:sk|pk|rk|hf|gh[pousr]|github_pat)[-_]|xox[abeoprs]-|glpat-)[\w-]{{16,}}+"
            r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}+)"
        ),
        _always,
    ),
    ("[password]", re.compile(r"""(?i)(?<=[a-z]://)[^\s/@:"'<>]*+:[^\s/"'<>]+(?=@)"""), _always),
    ("[e-mail]", re.compile(rf"{_BEGINS}[\w.+-]++@[\w-]++(?:\.[\w-]++)+"), _always),
    (
        "[IBAN]",
        re.compile(rf"(?ai){_WORD_BEGINS}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?(?!\w)"),
        _is_iban,
    ),
    (
        "[card]",
        re.compile(
            rf"(?a){_NUMBER_BEGINS}(?:[2-6]\d{{12,18}}|[2-6]\d{{3}}([ -])\d{{4}}\1\d{{4}}\1\d{{1,7}}"
            r"|3\d{3}([ -])\d{6}\2\d{4,5})(?!\w)"
        ),
        _is_card,
    ),
    ("[phone]", re.compile(rf"(?a){_NUMBER_BEGINS}(?:\+|00)[1-9](?:[ ()/.-]{{0,2}}\d){{6,14}}(?!\w)"), _always),
)


def masked(text: str) -> str:
    """Return a text with masks for what names a person or opens a door."""
    for mask, pattern, is_one in _MASKS:
        text = pattern.sub(lambda found, mask=mask, is_one=is_one: mask if is_one(found[0]) else found[0], text)  # type: ignore[misc]
    return text
