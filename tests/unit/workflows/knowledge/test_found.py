"""What was found in a workflow: who may cite it, and what prompts refer to."""

from __future__ import annotations

from sostenuto import Agent, Chain, Citation, Cited, Message, Prompt
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import PartRef, TextPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.wire.retrieval import Passage, Retrieved, Scores
from sostenuto.workflows.agent.transcript import Transcript
from sostenuto.workflows.knowledge.found import FoundPassages

LONG = Passage(id="p1", text="The probe is stored flat. " * 80, source="file:///a.md", start=0, end=2_080)
SHORT = Passage(id="p2", text="Flat.", source="file:///b.md", start=0, end=5, scores=Scores(dense=0.5))


def test_only_who_cites_is_told_what_was_found() -> None:
    found = FoundPassages()
    found.add(Retrieved(passages=(LONG, SHORT)))
    plain, citing = Agent(name="a", model="a/b"), Agent(name="c", model="a/b", output=Cited)
    told = Message.user(f"{Retrieved(passages=(SHORT,)).content} What is flat?")
    assert found.citable_by(plain, told) == ()
    # Not what it is told nothing of: each nested run would have everything once more.
    assert [passage.id for passage in found.citable_by(Chain(name="x", steps=[plain, citing]), told)] == ["p2"]
    assert found.citable_by(citing, None) == ()
    assert found.passages["p2"].scores == Scores(), "what others searched for says nothing here"
    assert Prompt(name="p", template="{input}", model="a/b", output=Cited).cites


def test_what_a_nested_run_cites_may_be_cited() -> None:
    found = FoundPassages()
    found.add(Retrieved(passages=(SHORT,)))
    cited = Citation(claim="c", passage="p3", source="file:///c.md", quote="Upright.", start=10, end=18, page=2)
    again = Citation(claim="c", passage="p2", source="file:///b.md", quote="Fl", start=0, end=2)
    found.cited([cited, again])
    assert (found.passages["p3"].text, found.passages["p3"].page, found.passages["p3"].start) == ("Upright.", 2, 10)
    assert found.passages["p2"].text == "Flat.", "the passage itself says more"


def test_a_prompt_refers_to_what_the_history_has() -> None:
    found = FoundPassages()
    for number, passage in enumerate((LONG, SHORT)):
        found.add(Retrieved(passages=(passage,)), f"desk/found#{number}:search")
    found.add(Retrieved(), "desk/nothing:search")
    long, short = (Retrieved(passages=(passage,)).content for passage in (LONG, SHORT))
    head = Head(agent="a", model=Model("a/b"))
    message = Message.user([long, "and", short, Retrieved().content])
    (told,) = Transcript(head, [message], texts=found.texts).tail()
    ref, *others = told.parts
    assert isinstance(ref, PartRef)
    assert (ref.message, ref.part, ref.call_id, ref.search_id) == (0, 0, "", "desk/found#0:search")
    # What is as short as a reference stands as it is.
    assert others == [TextPart(text="and"), TextPart(text=short), TextPart(text=Retrieved().content)]
