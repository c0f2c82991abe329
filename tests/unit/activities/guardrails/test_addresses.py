"""Addresses in texts that lead where they may not, however they are written."""

from __future__ import annotations

import pytest

from sostenuto.activities.guardrails.rules.addresses import NO_HOST, OTHER_HOST
from sostenuto.activities.guardrails.rules.rules import broken_rules
from sostenuto.contracts.guardrails.rules import Rules
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length

RULES = Rules(
    at="output", on_failure="redact", urls=["good.example", "*.ok.example", "docs.example/guide", "bücher.example"]
)


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in broken_rules(text, RULES)]


@pytest.mark.parametrize(
    "text",
    [
        "See https://good.example.",
        "HTTPS://GOOD.EXAMPLE:8443/x?y=z#w and https://Good.Example./x",
        "[a](https://good.example)[b](https://good.example)",
        '{"a":"https://good.example","b":"https://good.example","n":1}',
        r'{"a":"https:\/\/good.example\/a\/b"}',
        r"https://good.example\n\nA JSON string goes on",
        "https://good.example,https://good.example",
        "https://good.example's shop, `https://good.example`, (https://good.example)",
        "https://good.example\u200b was copied",
        "https://user@good.example/x",
        "https://good.example/?a=1&copy=2&reg=3",
        "https://a.ok.example and https://a.b.ok.example/",
        "https://docs.example/guide https://docs.example/guide/a?x https://docs.example/guide, then",
        "https://bücher.example https://BÜCHER.example/ https://xn--bcher-kva.example",
        "[a](/there) [b](#here) [c](page.html) [d](mailto:a@evil.example) <a href='tel:123'>",
        '<img src="//good.example/a.png" srcset="a.png 1x, b.png 2x">',
        "data: 5; metadata:x, javascript: the good parts, [INFO]: status:ok",
        r"a // comment, C:\\Users\\x, a//b, http: the protocol, https:// before it, sqlite:///x",
        "No address at all, and none in a.b or file.txt.",
    ],
)
def test_what_leads_nowhere_else(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://evil.example/a?b=c now", "https://evil.example/a?b=c"),
        ("![x](https://evil.example/p.png?d=secret)", "https://evil.example/p.png?d=secret"),
        ("<https://evil.example>", "https://evil.example"),
        ('{"a":"https://evil.example/x","b":1}', "https://evil.example/x"),
        ("[x]: https://evil.example/x 'y'", "https://evil.example/x"),
        ("go to www.evil.example/x", "www.evil.example/x"),
        ("[x](//evil.example/x)", "//evil.example/x"),
        ("[x](javascript:alert)", "javascript:alert"),
        ("a &amp; b https&#58;//evil.example c", "https&#58;//evil.example"),
        ("https://good.example/?next=https://evil.example", "https://evil.example"),
        ("https://evil.example/?next=https://good.example", "https://evil.example/?next=https://good.example"),
    ],
)
def test_what_is_found_has_its_place(text: str, address: str) -> None:
    assert found(text) == [address]


HOSTS = [
    "HTTPS://EVIL.EXAMPLE",
    "https://evil.example.",
    "https://evil.example:443/",
    "1https://evil.example",
    "_www.evil.example_",
    "見るwww.evil.example",
    "ftp://evil.example",
    "custom://evil.example",
    "file:///etc/passwd",
    "https://ok.example",
    "https://notok.example",
    "https://good.example.evil.example",
    "https://docs.example/guided",
    "https://[::1]/",
    "http://2130706433/",
]
USERS = [
    "https://good.example@evil.example",
    "https://good.example:443@evil.example/",
    r"https://good.example\@evil.example",
    r"https://evil.example\@good.example",
    "https://good.example@evil.example@good.example.evil.example",
    "<a href='https://good.example<@evil.example'>",
    "[x](https://good.example<@evil.example)",
    "https://good.example&#64;evil.example",
    "![](https://good.example&commat;evil.example)",
]
SLASHES = [
    r"https:\\evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "[x](https:evil.example)",
    r"[x](/\evil.example)",
    r'<a href="\\evil.example">',
    r'<a href="\\good.example&#46;evil.example">',
    r"https\://evil.example",
    r"> [r]: /\evil.example",
    'style="background:url(https:evil.example/x)"',
    'content="0;url=https:evil.example"',
    r'"\/\/evil.example"',
    "<img src=//evil.example/x>",
]
NAMES = [
    "https://xn--god-sna.example",
    "https://g\u043e\u043ed.example",
    "https://\uff45vil.example",
    "https://good.example\uff0f.evil.example",
    "https://evil.exa\u200bmple",
    'https://good.example",.evil.example/x',
    "https://good.example),.evil.example",
    "https://good.example,。evil。example",
    "https://good.example%2eevil.example",
    f"https://good.example{'.a' * 600}",
    f"https://{'a' * 1_100}@good.example",
    '<a href="https://good.example\t.evil.example/">',
    '<img srcset="x.png 1x, &#104;ttps://evil.example/y.png 2x">',
]
PATHS = [
    "https://docs.example/guide/../x",
    "https://docs.example/guide/%2e%2E/x",
    r"https://docs.example/guide\..\x",
    "[x](https://docs.example/guide/..)",
    "https://docs.example/guide/..%2fx",
    "https://docs.example",
    f"https://docs.example/guide/{'a' * 3_000}/../../x",
    f'<a href="https:docs.example/guide/{"a" * 3_000}/../../x">',
]


@pytest.mark.parametrize("text", [*HOSTS, *USERS, *SLASHES, *NAMES, *PATHS])
def test_what_leads_elsewhere(text: str) -> None:
    assert [one.reason for one in broken_rules(text, RULES)][:1] == [OTHER_HOST]


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "javascript://good.example/%0aalert(1)",
        '<a href="java&#10;script:alert(1)">',
        '<a href="&#106;avascript:alert(1)">',
        "[x](&#x6a;avascript:alert(1))",
        r'{"html": "<a href=\"javascript:alert(1)\">"}',
        "[r]: <java\tscript:x>",
        "[x](vbscript:x)",
        "[x](data:text/html;base64,AAAA)",
        "data:text/html,<script>",
        "[x](ms-msdt:/id)",
    ],
)
def test_what_has_no_host(text: str) -> None:
    assert [one.reason for one in broken_rules(text, RULES)][:1] == [NO_HOST]


def test_without_hosts_there_may_be_no_address() -> None:
    none = Rules(at="output", on_failure="block", urls=[])
    assert len(broken_rules("https://good.example and www.ok.example", none)) == 2
    assert broken_rules("no address", none) == []
    assert broken_rules("https://evil.example", Rules(at="output", on_failure="block", max_chars=99)) == []


@pytest.mark.parametrize(
    "part",
    [
        "https://",
        "https://good.example/",
        "https://evil.example/",
        "https:",
        "www.",
        "//a.",
        "a",
        "a.",
        "](",
        "[a",
        "\n[a]:",
        'href="',
        "&#64;",
        "\\:",
        "[a]:/\\b.c ",
        "https://a@",
        "http://ü.",
        "https://docs.example/guide/a/..",
    ],
)
def test_hostile_texts_take_no_longer_than_their_length(part: str) -> None:
    assert takes_no_longer_than_its_length(lambda text: broken_rules(text, RULES), part, 30)
