"""What of some rules a text breaks, and where."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import SpecError
from sostenuto.activities.guardrails.broken import Broken
from sostenuto.activities.guardrails.rules.languages import language_of
from sostenuto.activities.guardrails.rules.patterns import MOST_PLACES
from sostenuto.activities.guardrails.rules.rules import broken_rules, check_rules
from sostenuto.contracts.guardrails.rules import Rules
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length


def rules(**given: Any) -> Rules:
    return Rules(at="output", on_failure="block", **given)


def told(text: str, **given: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.reason) for one in broken_rules(text, rules(**given))]


def denied(text: str, *patterns: str) -> list[str]:
    return [text[one.start : one.end] for one in broken_rules(text, rules(deny=patterns))]


def test_what_keeps_to_all_rules() -> None:
    kept = rules(
        deny=["never"], allow=["(?s)hello.*"], max_chars=90, min_chars=3, languages=["en"], urls=["ok.example"]
    )
    assert broken_rules("Hello and welcome to\nhttps://ok.example/shop, dear customer.", kept) == []


def test_lengths() -> None:
    assert told("1234", max_chars=3) == [("max_chars", "it has 4 characters, and at most 3 are allowed")]
    assert told("1234", min_chars=5) == [("min_chars", "it has 4 characters, and at least 5 are needed")]
    assert told("1234", min_chars=4, max_chars=4) == []


def test_denied_patterns_have_places() -> None:
    assert denied("Große Größe: Foo1, FOO22", r"foo\d+") == ["Foo1", "FOO22"], "behind letters of several bytes"
    assert denied("Foo foo", "(?-i)foo") == ["foo"]
    broken = broken_rules("a secret b", rules(deny=["x", "secret"]))
    assert broken == [Broken("deny[1]", "it has something in it that this pattern denies", 2, 8)]


def test_a_pattern_that_takes_no_character_has_no_place() -> None:
    assert broken_rules("", rules(deny=["^$"])) == [
        Broken("deny[0]", "it has something in it that this pattern denies")
    ]
    assert broken_rules("x", rules(deny=["^$"])) == []


def test_behind_many_places_all_the_rest_is_one() -> None:
    text = "a." * (2 * MOST_PLACES)
    found = broken_rules(text, rules(deny=["a"]))
    assert len(found) == MOST_PLACES + 1
    assert (found[-1].start, found[-1].end) == (2 * MOST_PLACES, len(text))


def test_halves_of_characters_are_looked_through_too() -> None:
    assert denied("\ud83d secret \udc00", "secret") == ["secret"]


def test_one_of_the_allowed_patterns_matches_all_of_the_text() -> None:
    forms = [r"ORD-\d+", "yes|no"]
    assert told("ord-17", allow=forms) == []
    assert told("ORD-17 and ignore the rest", allow=forms) == [
        ("allow", "it is none of the 2 forms that are allowed"),
    ]
    assert told("yes\n", allow=forms) != []


@pytest.mark.parametrize("deny", [r"(a+)+$", r"(a|a)*b", r"a.*b|a", r"(.*a){12}b"])
def test_patterns_take_no_longer_than_the_length_of_the_text(deny: str) -> None:
    kept = rules(deny=[deny])
    assert takes_no_longer_than_its_length(lambda text: broken_rules(text, kept), "a", 30)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order?", "en"),
        ("Bitte kündigen Sie mein Abo.", "de"),
        ("Où est ma commande ?", "fr"),
        ("Отмените, пожалуйста, мою подписку.", "ru"),
        ("注文はどこですか", "ja"),
        ("请取消我的订阅。", "zh"),
        ("你好", "zh"),
        ("Hvor er pakken min? Jeg har ventet lenge på den.", "no"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language
    assert told(text, languages=[language]) == []
    other = "sw"
    assert told(text, languages=[other]) == [("languages", f"it is in {language!r}, and only {other} is allowed")]


@pytest.mark.parametrize(
    "text",
    ["", "ok", "OK", "12345", "😀", "Danke", "Anna Müller", "https://example.com/a?b=c", '{"n": 3}', "\ud800", "ORD-1"],
)
def test_a_text_whose_language_cannot_be_told_passes(text: str) -> None:
    assert told(text, languages=["sw"]) == []


def test_a_language_is_of_its_kinds() -> None:
    assert told("你好", languages=["zh"]) == []
    assert told("Hvor er pakken min? Jeg har ventet lenge på den.", languages=["nb"]) == []


@pytest.mark.parametrize("part", ["x", "Hello there. ", "ä"])
def test_languages_take_no_longer_than_the_length_of_the_text(part: str) -> None:
    assert takes_no_longer_than_its_length(language_of, part, 30)


def test_reasons_say_nothing_of_the_text() -> None:
    text = "As far as we know Hunter2 lives at https://hunter2.example/hunter2 with his family"
    broken = broken_rules(
        text, rules(deny=["hunter."], allow=["x"], languages=["sw"], urls=[], max_chars=5, min_chars=2)
    )
    assert {one.rule for one in broken} == {"deny[0]", "allow", "languages", "urls", "max_chars"}
    assert "unter2" not in "".join(one.reason for one in broken)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"deny": ["fine", "(?=a)b"]},
            r"answers: deny\[1\]: RE2 does not take '\(\?=a\)b': invalid perl operator: \(\?=",
        ),
        ({"allow": ["(a"]}, r"answers: allow\[0\]: RE2 does not take '\(a': missing \): \(a"),
        ({"deny": ["(a{1000}){1000}"]}, r"deny\[0\]: .*invalid repetition size"),
        ({"deny": [r"(a)\1"]}, r"invalid escape sequence: \\1: it has no look-around and no references to groups"),
        ({"languages": ["en", "qq"]}, r"answers: languages\[1\]: 'qq' cannot be told: write one of af, am, "),
        ({"urls": ["-☃-.x", "a" * 64 + ".com"]}, "is no host"),
        ({"urls": ["ok.example", "xn--ü.example"]}, r"answers: urls\[1\]: 'xn--ü.example' is no name of a host"),
    ],
)
def test_what_cannot_be_looked_for_is_told_before_there_is_a_text(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_rules(rules(**given), "answers")


def test_rules_that_can_be_looked_for_pass() -> None:
    check_rules(rules(deny=[r"\bfoo\b"], allow=["(?s).*"], languages=["nb"], urls=["*.bücher.example/a"]), "answers")
