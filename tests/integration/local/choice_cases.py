"""Questions whose answer is one of a few listed values, with the right one."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.integration.local.routing_cases import ASSISTANT, SHOP

GOOD = (
    "I love this phone.",
    "Best purchase this year, works perfectly.",
    "Very comfortable and well made.",
    "It arrived early and the quality is great.",
    "My kids adore it.",
    "Five stars, would buy again.",
)
BAD = (
    "It broke after two days.",
    "Terrible quality, I want my money back.",
    "The sound is awful.",
    "Too small and it smells bad.",
    "I regret buying this.",
    "Never again, the support was rude.",
)
TOPICS = {
    "sports": ("The striker scored twice in the final.", "She won gold in the 100 metres."),
    "politics": ("The parliament passed the new tax law.", "The president met the chancellor."),
    "science": ("Researchers found water on a distant planet.", "A new particle was seen at the collider."),
    "cooking": ("Simmer the onions until golden.", "Add a pinch of salt to the dough."),
}
URGENCY = {
    "low": ("No hurry, just wondering if dark mode is planned.", "A small typo on the about page."),
    "normal": ("The export takes longer than before.", "Please add my colleague to the account."),
    "urgent": ("Production is down and customers cannot pay!", "We are losing data right now, help!"),
}


@dataclass(frozen=True)
class Case:
    """A question."""

    about: str
    instructions: str
    question: str
    values: tuple[str, ...]
    wanted: str


def _described() -> Iterator[Case]:
    for desk, above in ((SHOP, True), (ASSISTANT, False)):
        lines = "\n".join(f"- {option.name}: {option.description}" for option in desk.options)
        values = tuple(desk.inside)
        for wanted, texts in desk.inside.items():
            for text in texts[:3]:
                if above:
                    yield Case("described in the instructions", f"Choose a desk.\n\n{lines}", text, values, wanted)
                else:
                    yield Case("described in the question", "", f"Choose.\n{lines}\n\n{text}", values, wanted)


def _moods() -> Iterator[Case]:
    for texts, mood, kind in ((GOOD, "positive", "good"), (BAD, "negative", "bad")):
        for text in texts:
            asked = f"Is this review positive or negative?\n\n{text}"
            yield Case("sentiment", "", asked, ("positive", "negative"), mood)
            yield Case("sentiment, not asked for", "", text, ("positive", "negative"), mood)
            yield Case("good or bad", "", f"Is it good or bad? {text}", ("good", "bad"), kind)


def _kinds() -> Iterator[Case]:
    for wanted, texts in TOPICS.items():
        yield from (Case("topic", "", f"What is this text about?\n\n{t}", tuple(TOPICS), wanted) for t in texts)
    for wanted, texts in URGENCY.items():
        yield from (Case("urgency", "", f"How urgent is this ticket? {t}", tuple(URGENCY), wanted) for t in texts)


CASES = (*_described(), *_moods(), *_kinds())
