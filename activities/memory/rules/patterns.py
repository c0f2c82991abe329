"""Patterns of English sentences about the speaker.

Must not know where the sentences come from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ....contracts.memory.long_term import MemoryKind

_I: Final = r"(?:i|the user|user)"
_AM: Final = r"(?:(?:i|the user|user)(?:'m| am| is)|i was)"
_MY: Final = r"(?:my|the user's|user's)"
_HAVE: Final = r"(?:'ve| have| has|'s)?"
_NOW: Final = r"(?: now| currently| still| also| just| recently| only| usually| always| really| absolutely| very much)*"
_NOT: Final = r"(?:do not|don't|does not|doesn't)"
_MORE: Final = r"(?:any ?more|any longer)"
_JOB: Final = (
    r"[\w -]*?\b(?:\w+(?:er|or|ist|ian|ant|ect|eer|ess)|nurse|pilot|chef|cook|student|coach|judge|artist|CEO|CTO|CFO|"
    r"intern|professor|freelancer)"
)
_DIET: Final = (
    r"(?:vegan|vegetarian|pescatarian|omnivore|flexitarian|teetotal(?:l?er)?|lactose intolerant|diabetic|celiac)"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way of saying something of oneself."""

    expression: re.Pattern[str]
    """Matches the whole clause; `x` is what is said, `y` what it is said of."""
    text: str
    """What is remembered: `{x}` and `{y}` stand for those."""
    key: str
    """Of what, likewise."""
    kind: MemoryKind = MemoryKind.FACT
    importance: float = 0.6
    updates: bool = False
    """Whether it says that something was otherwise before."""


def _pattern(
    expression: str,
    text: str,
    key: str,
    kind: MemoryKind = MemoryKind.FACT,
    importance: float = 0.6,
    *,
    updates: bool = False,
) -> Pattern:
    return Pattern(re.compile(rf"(?:{expression})", re.IGNORECASE), text, key, kind, importance, updates)


_LIKING: Final = MemoryKind.PREFERENCE

PATTERNS: Final = (
    # Who somebody is.
    _pattern(
        rf"{_MY} (?:full |first )?name(?:'s| is)(?: now)? (?P<x>.+)", "The user's name is {x}.", "name", importance=0.9
    ),
    _pattern(r"(?:please )?call me (?P<x>.+)", "The user wants to be called {x}.", "called", _LIKING, 0.9),
    _pattern(rf"{_AM} called (?P<x>.+)", "The user's name is {x}.", "name", importance=0.9),
    _pattern(rf"{_AM}{_NOW} (?P<x>\d{{1,3}})(?: years old)?", "The user is {x} years old.", "age"),
    _pattern(rf"{_I} (?:was|were) born (?P<x>(?:on|in) .+)", "The user was born {x}.", "born", importance=0.7),
    _pattern(
        rf"{_AM}{_NOW} (?P<x>(?:married|engaged|divorced|single|widowed)\b.*)", "The user is {x}.", "marital status"
    ),
    # Where.
    _pattern(
        rf"{_I}(?:{_HAVE})?{_NOW} (?:moved|relocated|move|relocate)(?: away)?(?: from (?P<y>.+?))?{_NOW} to (?P<x>.+)",
        "The user lives in {x}.",
        "home",
        importance=0.8,
        updates=True,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} {_NOT} live in (?P<x>.+?) {_MORE}|"
        rf"{_I} no longer lives? in (?P<x2>.+))",
        "The user no longer lives in {x}.",
        "home",
        importance=0.7,
        updates=True,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} (?:live|lives|reside|resides)|{_AM}{_NOW} (?:living|based|residing)){_NOW} (?:in|near|at) "
        rf"(?P<x>.+)",
        "The user lives in {x}.",
        "home",
        importance=0.8,
    ),
    _pattern(
        rf"(?:{_AM} (?:originally )?from|{_I}{_NOW} comes? from|{_I} grew up in) (?P<x>.+)",
        "The user is from {x}.",
        "origin",
    ),
    # What somebody does.
    _pattern(
        rf"(?:{_I}{_NOW} {_NOT} work (?:at|for) (?P<x>.+?) {_MORE}|"
        rf"{_I} no longer works? (?:at|for) (?P<x2>.+)|{_I}(?:{_HAVE}){_NOW} (?:left|quit) my job at (?P<x3>.+))",
        "The user no longer works at {x}.",
        "employer",
        updates=True,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} works? (?:at|for)|{_AM}{_NOW} working (?:at|for)|{_AM} employed (?:at|by)) (?P<x>.+)",
        "The user works at {x}.",
        "employer",
    ),
    _pattern(
        rf"{_I}{_HAVE}{_NOW} (?:joined|started (?:working )?at|started a (?:new )?job at|changed jobs to) (?P<x>.+)",
        "The user works at {x}.",
        "employer",
        updates=True,
    ),
    _pattern(rf"{_I}{_NOW} works? as (?P<x>an? .+)", "The user works as {x}.", "job"),
    _pattern(rf"{_AM}{_NOW} (?P<x>(?:an? )?{_DIET})(?: now)?", "The user is {x}.", "diet", importance=0.9),
    _pattern(
        rf"(?:{_AM} (?:no longer|not) (?P<x>(?:an? )?{_DIET})(?: {_MORE})?)",
        "The user is not {x}.",
        "diet",
        importance=0.9,
        updates=True,
    ),
    _pattern(rf"{_AM}{_NOW} (?P<x>an? {_JOB})", "The user works as {x}.", "job"),
    _pattern(rf"(?:{_I}{_NOW} (?:study|studies)|{_AM}{_NOW} studying) (?P<x>.+)", "The user studies {x}.", "studies"),
    _pattern(
        rf"(?:{_AM}{_NOW} learning|{_I}{_NOW} learns?) (?P<x>.+)",
        "The user is learning {x}.",
        "learns {x}",
        importance=0.5,
    ),
    _pattern(rf"{_I}{_NOW} speaks? (?P<x>.+)", "The user speaks {x}.", "speaks {x}", importance=0.6),
    # What harms.
    _pattern(
        rf"{_AM}(?: no longer| not)(?: severely| very)? allergic to (?P<x>.+?)(?: {_MORE})?",
        "The user is not allergic to {x}.",
        "allergy to {x}",
        importance=0.95,
        updates=True,
    ),
    _pattern(
        rf"(?:{_AM}{_NOW}(?: severely| very| deadly)? allergic to (?P<x>.+)|{_I} (?:have|has) an? (?P<x2>.+?) allergy)",
        "The user is allergic to {x}.",
        "allergy to {x}",
        importance=0.95,
    ),
    _pattern(
        rf"{_I}{_NOW} (?:(?:can not|cannot|can't|do not|don't|never|does not|doesn't) (?:eat|drink)s?|never (?:eat|"
        rf"drink)s?) (?P<x>.+?)"
        rf"(?: {_MORE})?",
        "The user does not eat or drink {x}.",
        "eats {x}",
        _LIKING,
        0.8,
    ),
    # What somebody likes.
    _pattern(
        rf"{_MY} favou?rite (?P<y>.+?) (?:is|are)(?: now)? (?P<x>.+)",
        "The user's favourite {y} is {x}.",
        "favourite {y}",
        _LIKING,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} prefers?|i'd rather have|i would rather have) (?P<x>.+?) (?:to|over|rather than|instead "
        rf"of) (?P<y>.+)",
        "The user prefers {x} to {y}.",
        "prefers {x|y}",
        _LIKING,
        0.7,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} prefers?|i'd rather have) (?P<x>.+?)(?: now)?",
        "The user prefers {x}.",
        "prefers {x:head}",
        _LIKING,
        0.7,
    ),
    _pattern(
        rf"(?:{_I}{_NOW} {_NOT} (?:like|love|enjoy) (?P<x>.+?) {_MORE}|"
        rf"{_I} no longer (?:like|love|enjoy)s? (?P<x2>.+)|{_I}{_HAVE}(?: have)? (?:stopped liking|gone off) "
        rf"(?P<x3>.+))",
        "The user no longer likes {x}.",
        "taste for {x}",
        _LIKING,
        updates=True,
    ),
    _pattern(
        rf"{_I}{_NOW} (?:{_NOT} (?:like|love|enjoy)|hates?|dislikes?|detests?|loathes?|can't stand|cannot stand)"
        r" (?P<x>.+)",
        "The user dislikes {x}.",
        "taste for {x}",
        _LIKING,
    ),
    _pattern(rf"{_I}{_NOW} (?:like|love|enjoy|adore)s? (?P<x>.+)", "The user likes {x}.", "taste for {x}", _LIKING),
    _pattern(
        rf"{_AM}{_NOW} (?:a (?:big |huge )?fan of|fond of|into|keen on) (?P<x>.+)",
        "The user likes {x}.",
        "taste for {x}",
        _LIKING,
    ),
    # Whom somebody knows, and what comes.
    _pattern(
        rf"{_MY} (?P<y>[\w' -]{{2,30}}?) (?:lives|moved|has moved) (?:in|near|to) (?P<x>.+)",
        "The user's {y} lives in {x}.",
        "home of {y}",
    ),
    _pattern(rf"{_MY} (?P<y>[\w' -]{{2,30}}?) (?P<x>works (?:at|for|as|in) .+)", "The user's {y} {x}.", "work of {y}"),
    _pattern(
        rf"{_MY} (?P<y>[\w' -]{{2,30}}?) (?P<x>(?:leaves|departs|arrives|lands|starts|begins|ends|takes place) .+)",
        "The user's {y} {x}.",
        "time of {y}",
    ),
    # What somebody has.
    _pattern(
        rf"{_MY} (?P<y>[\w' -]{{2,40}}?) (?:has |have )?(?:changed|moved|switched)(?: from .+?)? to (?P<x>.+)",
        "The user's {y} is {x}.",
        "{y}",
        updates=True,
    ),
    _pattern(
        rf"{_MY} new (?P<y>[\w' -]{{2,40}}?) (?:is|are)(?: called| named)? (?P<x>.+)",
        "The user's {y} is {x}.",
        "{y}",
        updates=True,
    ),
    _pattern(
        rf"{_MY} (?P<y>[\w' -]{{2,40}}?)(?: is| are|'s(?! \w+ (?:is|are)\b))(?: now| currently)?(?: called| "
        rf"named)? (?P<x>.+)",
        "The user's {y} is {x}.",
        "{y}",
    ),
    _pattern(
        rf"(?:{_I}{_NOW} (?:have got|have|has|owns?)|i've got) (?P<x>(?:an?|one|two|three|four|five|\d+) .+)",
        "The user has {x}.",
        "",
        importance=0.5,
    ),
    _pattern(rf"{_I}{_NOW} uses? (?P<x>an? .+)", "The user uses {x}.", "", importance=0.5),
    _pattern(rf"{_I}{_NOW} (?:drive|drives) (?P<x>.+)", "The user drives {x}.", "drives", importance=0.4),
    _pattern(rf"{_I}{_NOW} (?:play|plays) (?P<x>.+)", "The user plays {x}.", "plays {x}", importance=0.4),
)
"""The first that matches a clause decides."""

NOTHING_OF_ONESELF: Final = re.compile(
    r"(?:question|point|guess|problem|issue|idea|concern|opinion|understanding|answer|apologies|request|bad|"
    r"mistake|thing|goal|plan|"
    r"order|ticket|code|query|message|turn|pleasure|thoughts?|assumption|impression|suggestion|reply|task|first|"
    r"next|last|only)\b.*",
    re.IGNORECASE,
)
"""What somebody calls theirs, or has, in passing: of one's question, problem or order nothing is remembered."""
