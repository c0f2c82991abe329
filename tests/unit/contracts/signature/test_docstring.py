"""What a docstring says of parameters, in each of the forms that people write."""

from __future__ import annotations

import inspect

import pytest

from sostenuto.contracts.signature.docstring import Docstring

GOOGLE = """Send a letter.

To anyone.

Args:
    to (str): Who gets it,
        by name.
        Example: Ada.
    text (dict[str, tuple(int, int)], optional): What to say.
    *rest: Not told.

    day: When: a date.

Returns:
    to: not a parameter.
"""

GOOGLE_THEN_PROSE = """Send a letter.

To anyone.

Args:
    to: Who gets it, by name. Example: Ada.
    text: What to say.
    day: When: a date.

More of it.
to: Nobody.
"""

GOOGLE_TWO_SECTIONS = """Send a letter.

To anyone.

Args:
  to: Who gets it, by name. Example: Ada.
Keyword Args:
  text: What to say.
      day: When: a date.
"""

GOOGLE_FLAT = """Send a letter.

To anyone.

Arguments:
to: Who gets it, by name. Example: Ada.
`text`: What to say.
day : When: a date.
Raises:
ValueError: never.
"""

NUMPY = """Send a letter.

To anyone.

Parameters
----------
to : str
    Who gets it, by name.

    Example: Ada.
text : {'a', 'b'}, optional
    What to say.

Other Parameters
----------------
day
    When: a date.
*rest
    Not told.

Returns
-------
to
    Not a parameter.
"""

SPHINX = """Send a letter.

To anyone.

:param str to: Who gets it,
    by name. Example: Ada.
:param text:
    What to say.
:type text: str
:keyword dict[str, int] day: When: a date.
:returns: A receipt.
:rtype: str

Not told.
"""

EPYTEXT = """Send a letter.

To anyone.

@param to: Who gets it, by name. Example: Ada.
@type to: str
@param text: What to say.
@param day: When: a date.
@return: A receipt.
"""


@pytest.mark.parametrize(
    "doc",
    [GOOGLE, GOOGLE_THEN_PROSE, GOOGLE_TWO_SECTIONS, GOOGLE_FLAT, NUMPY, SPHINX, EPYTEXT],
    ids=["google", "google, then prose", "google, two sections", "google, flat", "numpy", "sphinx", "epytext"],
)
def test_every_form_says_the_same(doc: str) -> None:
    read = Docstring.of(inspect.cleandoc(doc), ["to", "text", "day"])
    assert read.text == "Send a letter.\n\nTo anyone."
    told = {name: said for name, said in read.parameters.items() if name in ("to", "text", "day")}
    assert told == {"to": "Who gets it, by name. Example: Ada.", "text": "What to say.", "day": "When: a date."}


def test_names_that_share_a_description() -> None:
    read = Docstring.of("Add.\n\nParameters\n----------\na, b : int\n    A number.\nc : int", ["a", "b", "c"])
    assert read.parameters == {"a": "A number.", "b": "A number."}


@pytest.mark.parametrize(
    ("doc", "text"),
    [
        ("", ""),
        ("Do it.", "Do it."),
        ("A heading\n---------\n\nParameters:\nnone", "A heading\n---------"),
        ("Do it: now.\nAt 10:30: sharp.", "Do it: now.\nAt 10:30: sharp."),
        ("Note: this is text.", "Note: this is text."),
        ("Args:\n    a: One.", ""),
        ("Do it.\n\nNotes\n-----\nNot told.", "Do it."),
        ("Do it.\n\n:raises ValueError: never", "Do it."),
        ("Say :param without an end", "Say :param without an end"),
    ],
)
def test_the_text_ends_where_a_section_begins(doc: str, text: str) -> None:
    assert Docstring.of(doc, ["a"]).text == text


def test_a_parameter_that_is_not_told_of_has_no_note() -> None:
    assert Docstring.of("Do it.\n\nArgs:\n    a:\n    b: Two.", ["a", "b"]).parameters == {"b": "Two."}
