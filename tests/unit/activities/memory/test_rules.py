"""What the rules find in English sentences, and what they leave alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sostenuto.activities.memory.rules.extracting import extracted, understood
from sostenuto.activities.memory.rules.own_words import in_own_words
from sostenuto.contracts.memory.long_term import MemoryKind

AT = datetime(2026, 11, 30, tzinfo=UTC)
ALL = tuple(MemoryKind)


def said(text: str) -> list[tuple[str, str]]:
    return [(memory.text, memory.key) for memory in extracted(text, AT, ALL)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi, my name is Anna.", [("The user's name is Anna.", "name")]),
        ("I live in Berlin.", [("The user lives in Berlin.", "home")]),
        ("I moved to Munich last month.", [("The user lives in Munich.", "home")]),
        ("I've just moved from Berlin to Munich, by the way", [("The user lives in Munich.", "home")]),
        ("I no longer live in Berlin", [("The user no longer lives in Berlin.", "home")]),
        ("I work at Siemens", [("The user works at Siemens.", "employer")]),
        ("I joined Google in May", [("The user works at Google.", "employer")]),
        ("I quit my job at Google", [("The user no longer works at Google.", "employer")]),
        ("I'm a nurse", [("The user works as a nurse.", "job")]),
        ("I'm vegetarian", [("The user is vegetarian.", "diet")]),
        ("I'm no longer vegan.", [("The user is not vegan.", "diet")]),
        (
            "I'm allergic to peanuts and shellfish",
            [
                ("The user is allergic to peanuts.", "allergy to peanuts"),
                ("The user is allergic to shellfish.", "allergy to shellfish"),
            ],
        ),
        ("I am not allergic to peanuts any more", [("The user is not allergic to peanuts.", "allergy to peanuts")]),
        (
            "I like tea but I hate coffee",
            [("The user likes tea.", "taste for tea"), ("The user dislikes coffee.", "taste for coffee")],
        ),
        ("I don't like tea any more", [("The user no longer likes tea.", "taste for tea")]),
        ("I prefer window seats", [("The user prefers window seats.", "prefers seats")]),
        ("I'd rather have aisle seats", [("The user prefers aisle seats.", "prefers seats")]),
        ("I prefer coffee to tea", [("The user prefers coffee to tea.", "prefers coffee or tea")]),
        ("My favourite colour is blue", [("The user's favourite colour is blue.", "favourite colour")]),
        ("my sister's name is Ruth", [("The user's sister's name is Ruth.", "sister's name")]),
        ("My dog is called Rex. My new dog is Bello", [("The user's dog is Bello.", "dog")]),
        ("My phone number changed to 555-1234", [("The user's phone number is 555-1234.", "phone number")]),
        ("my email is a.b@c.de", [("The user's email is a.b@c.de.", "email")]),
        ("Remember that the gate code is 1234", [("The gate code is 1234.", "gate code")]),
        ("Remember that whales sing at night", [("Whales sing at night.", "")]),
        ("My mother lives in Porto", [("The user's mother lives in Porto.", "home of mother")]),
        ("My brother works at Acme", [("The user's brother works at Acme.", "work of brother")]),
        ("My flight leaves on 3 May at noon.", [("The user's flight leaves on 3 May at noon.", "time of flight")]),
        ("My boss is Dr. Meyer.", [("The user's boss is Dr Meyer.", "boss")]),
        ("I use a wheelchair", [("The user uses a wheelchair.", "")]),
        ("My meeting is tomorrow", [("The user's meeting is on 2026-12-01.", "meeting")]),
        ("I have two kids", [("The user has two kids.", "")]),
        ("I've got a cat", [("The user has a cat.", "")]),
        ("> I live in Rome\nI live in Pisa", [("The user lives in Pisa.", "home")]),
        (
            "I speak German. I speak English",
            [("The user speaks German.", "speaks german"), ("The user speaks English.", "speaks english")],
        ),
        (
            "I like C, C++ and C#.",
            [
                ("The user likes C.", "taste for c"),
                ("The user likes C++.", "taste for c++"),
                ("The user likes C#.", "taste for c#"),
            ],
        ),
        (
            "I'm allergic to \N{PEANUTS} and \N{SHRIMP}",
            [
                ("The user is allergic to \N{PEANUTS}.", "allergy to \N{PEANUTS}"),
                ("The user is allergic to \N{SHRIMP}.", "allergy to \N{SHRIMP}"),
            ],
        ),
        ("I'm allergic to type I latex", [("The user is allergic to type I latex.", "allergy to type i latex")]),
        ("I don\N{RIGHT SINGLE QUOTATION MARK}t eat pork", [("The user does not eat or drink pork.", "eats pork")]),
    ],
)
def test_what_is_said_of_oneself(text: str, found: list[tuple[str, str]]) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "What is my name?",
        "Do I live in Berlin?",
        "Where is my order?",
        "my order is late",
        "I have a question about my order",
        "my point is that you are wrong",
        "I'm not sure that it works",
        "I am looking for a hotel",
        "I would like to book a table",
        "I like it",
        "He lives in Berlin",
        "Anna said: you live in Rome",
        "> I live in Rome",
        "```\nmy name is Anna\n```",
        "remember me?",
        "",
        "I live in " + "x" * 1_000,
        "I live in \x00",
        "remember that \u200b \u200b \u200b",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert said(text) == []


def test_the_last_of_what_contradicts_itself_counts() -> None:
    assert said("I live in Rome. I like figs. No, actually I live in Pisa.") == [
        ("The user likes figs.", "taste for figs"),
        ("The user lives in Pisa.", "home"),
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("So that's us now, boxes again. Do you mind?", ["The user said: So that's us now, boxes again."]),
        (
            "My sister has been in Ghent. I'm off tomorrow",
            ["The user said: My sister has been in Ghent. I'm off on 2026-12-01"],
        ),
        ("> I live in Rome, and like it\nShe never said that of me", ["The user said: She never said that of me"]),
        ("What is my name, and where do I live?", []),
        ("ok thanks, bye", []),
        ("\u200b \u200b \u200b ok", []),
        ("", []),
    ],
)
def test_a_message_in_its_own_words(text: str, kept: list[str]) -> None:
    found = in_own_words(text, AT)
    assert [memory.text for memory in found] == kept
    assert {memory.kind for memory in found} <= {MemoryKind.EPISODE}


def test_of_a_long_message_the_beginning_is_kept() -> None:
    [kept] = in_own_words("word " * 2_000, AT)
    assert 450 < len(kept.text) <= 515


def test_kinds_that_are_not_wanted() -> None:
    found = extracted("I live in Rome and I like figs", AT, (MemoryKind.PREFERENCE,))
    assert [memory.text for memory in found] == ["The user likes figs."]


def test_a_text_that_is_to_be_remembered_as_it_is() -> None:
    known = understood("my dog is called Rex", MemoryKind.FACT, AT)
    assert (known.text, known.key) == ("The user's dog is Rex.", "dog")
    free = understood("The shop closes at six", MemoryKind.FACT, AT)
    assert (free.text, free.key) == ("The shop closes at six.", "")
    subject = understood("The gate code is 1234", MemoryKind.PREFERENCE, AT)
    assert (subject.kind, subject.key) == (MemoryKind.PREFERENCE, "gate code")
    long = understood("x" * 5_000, MemoryKind.FACT, AT)
    assert len(long.text) == 1_000
    for wide in ("\N{LATIN SMALL LETTER SHARP S}", "\N{LATIN SMALL LIGATURE FFI}", "i ", "mine "):
        assert len(understood((wide * 1_000)[:999] + ".", MemoryKind.FACT, AT).text) <= 1_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("我住在柏林\uff0c我的狗叫小白\u3002你呢\uff1f", "我住在柏林\uff0c我的狗叫小白\u3002"),
        ("ผมอาศัยอยู่ที่เบอร์ลิน", "ผมอาศัยอยู่ที่เบอร์ลิน"),
        ("好的\u3002", ""),
    ],
    ids=["Chinese", "Thai", "too little"],
)
def test_writings_without_blanks_are_kept_in_their_own_words(text: str, kept: str) -> None:
    assert [one.text for one in in_own_words(text, AT)] == ([f"The user said: {kept}"] if kept else [])


def test_dates_in_place_of_many_words_make_no_text_too_long() -> None:
    [kept] = in_own_words("today " * 83, AT)
    assert len(kept.text) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        "The user works in a coal mine.",
        "The user has type I diabetes.",
        "World War I ended in 1918.",
        "The budget is in euros, i.e. not in dollars.",
        "The user reads USA Today.",
        "Elizabeth I.",
        "The team's I/O limit is 40 MB/s",
        'The door opens to "let me in, I beg you" at night.',
        "The office is in Portland, ME.",
    ],
)
def test_what_only_looks_like_the_first_person_stays(text: str) -> None:
    assert understood(text, MemoryKind.EPISODE, AT).text == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("My brother is older than I", "The user's brother is older than the user."),
        ("A friend of mine lent me a tent", "A friend of the user's lent the user a tent."),
        ("Tomorrow I fly to Oslo", "On 2026-12-01 the user fly to Oslo."),
    ],
)
def test_the_first_person_is_the_user(text: str, kept: str) -> None:
    assert understood(text, MemoryKind.EPISODE, AT).text == kept


def test_nothing_is_cut_from_what_grows_when_it_is_retold() -> None:
    text = ("me and my dog, " * 65).strip() + " never eat nuts"
    assert len(text) < 1_000
    assert understood(text, MemoryKind.FACT, AT).text.endswith("never eat nuts.")
