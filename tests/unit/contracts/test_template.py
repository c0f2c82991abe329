"""Templates: names in braces, and nothing that could be code."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from sostenuto.contracts.template import as_text, check_name, fields, names, pieces, pieces_of, render, told_answer


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("", ()),
        ("plain", ()),
        ("{input}", ("input",)),
        ("{b} {a} {b}", ("b", "a")),
        ("{first-draft}{a_1}{2}", ("first-draft", "a_1", "2")),
        ("{{input}}", ()),
        ("{{{input}}}", ("input",)),
        ('{{"a": {value}}}', ("value",)),
    ],
)
def test_names(template: str, found: tuple[str, ...]) -> None:
    assert names(template) == found


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{", "the brace at position 0 stands alone: write {{ for a brace"),
        ("a } b", "the brace at position 2 stands alone: write }} for a brace"),
        ("{{x}", "the brace at position 3 stands alone"),
        ("{a{b}", "the brace at position 0 stands alone"),
        ("{}", "{} is not a name"),
        ("{ input }", "{ input } is not a name"),
        (
            "{a.b}",
            "{a.b} is not a name: a template has names like {input} and {context.plan}, without other attributes",
        ),
        ("{context.}", "{context.} is not a name"),
        ("{a[0]}", "{a[0]} is not a name"),
        ("{a!r}", "{a!r} is not a name"),
        ("{a:>10}", "{a:>10} is not a name"),
        ("{_private}", "{_private} is not a name"),
        ("{a\n}", "is not a name"),
        ("{" + "x " * 1000 + "}", "{x x x x x x x x x x x x x x x x x x x … is not a name"),
    ],
)
def test_anything_but_a_name_is_refused(template: str, words: str) -> None:
    with pytest.raises(ValueError, match="brace") as caught:
        names(template)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{text}", "ä {not} a template"),
        ("{n} {none} {yes}", "1.5 null true"),
        ("{list}", '["ö", {"k": 1}]'),
        ("{{{n}}}", "{1.5}"),
        ("{{text}}", "{text}"),
        ("{text}{text}", "ä {not} a templateä {not} a template"),
    ],
)
def test_rendered(template: str, text: str) -> None:
    """A value is never read as a template again."""
    values: dict[str, JsonValue] = {
        "text": "ä {not} a template",
        "n": 1.5,
        "none": None,
        "yes": True,
        "list": ["ö", {"k": 1}],
    }
    assert render(template, values) == text


def test_a_value_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="there"):
        render("{there}", {"here": 1})


@pytest.mark.parametrize("name", ["", "a.b", "_a", "a b", "{a}", "a\n"])
def test_names_that_no_template_can_use(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name for a template: use letters, digits"):
        check_name(name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1, "b": ["x"]}', {"a": 1, "b": ["x"]}),
        (' \n{"a": null}', {"a": None}),
        ("{}", {}),
        ("", {}),
        ("{not json", {}),
        ('["a"]', {}),
        ('"a"', {}),
        ('{"a":' * 100_000, {}),
    ],
    ids=range(8),
)
def test_fields_of_an_input(text: str, found: dict[str, JsonValue]) -> None:
    assert fields(text) == found


def test_a_text_is_as_it_is() -> None:
    assert (as_text("a"), as_text({"ä": [1]})) == ("a", '{"ä": [1]}')


def test_pieces_join_to_what_is_rendered() -> None:
    values: dict[str, JsonValue] = {"found": "{passages}", "input": "why?", "n": [1], "empty": ""}
    for written in ("{found}", "a {{ {found} b {input} {found}{n}", "{input}", "{found}{found}", "", "{empty}"):
        assert "".join(pieces(written, values, {"{passages}"})) == render(written, values)
    assert pieces("{found}\n{input}", values, {"{passages}"}) == ["{passages}", "\nwhy?"]
    assert pieces("{found}\n{input}", values) == ["{passages}\nwhy?"]
    assert pieces("", values) == [""]
    with pytest.raises(KeyError):
        pieces("{found} {other}", values, {"{passages}"})


def test_what_is_to_be_apart_stands_alone_in_objects_too() -> None:
    both: dict[str, JsonValue] = {"law": "{passages}", "tax": "none"}
    assert pieces_of(both, {"{passages}"}) == ["law:\n", "{passages}", "\n\n", "tax:\n", "none"]
    assert pieces("Given {both}: {input}", {"both": both, "input": "why?"}, {"{passages}"}) == [
        *("Given ", "law:\n", "{passages}", "\n\n", "tax:\n", "none", ": why?")
    ]
    assert pieces_of(both, ()) == [as_text(both)]
    assert pieces_of(["{passages}"], {"{passages}"}) == ['["{passages}"]']


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ('{"value": "happy"}', "happy"),
        ('{"value": [1, 2]}', "[1, 2]"),
        ('{"value": 1, "why": 2}', '{"value": 1, "why": 2}'),
        ("{value}", "{value}"),
        ("happy", "happy"),
    ],
)
def test_a_choice_is_told_without_what_is_around_it(answer: str, told: str) -> None:
    assert told_answer(answer) == told
