"""Runnables that nest: what each takes from around it, that all survive JSON, and what cannot be built."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sostenuto import Agent, Chain, Message, Parallel, Prompt, Route, Router, Rule, SpecError, Step, Team, tool
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.specs.runnable import RUNNABLE_ADAPTER, check_input
from tests.unit.contracts.spec_examples import SPECS

MODEL = "scripted/m"


@tool(effect="read")
def look(at: str) -> str:
    """Look at a thing."""
    return at


def agent(name: str, **fields: Any) -> Agent:
    """An agent with what a test says of it."""
    return Agent(**{"name": name, "model": MODEL, **fields})


def prompt(name: str, template: str = "{input}", **fields: Any) -> Prompt:
    """A prompt with what a test says of it."""
    return Prompt(**{"name": name, "model": MODEL, "template": template, **fields})


A, B, C = agent("a"), agent("b"), agent("c")
TOPIC = prompt("topic_prompt", "{input} {topic}")
DOTTED = agent("a.b")
CHAIN = Chain(name="chain", steps=[A])
ANY = "cannot be run: pass an Agent, Prompt, Retrieve, Chain, Router, Parallel or Team"


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (Prompt, {"template": "{a.b}"}, "template: {a.b} is not a name: a template has names like {input}"),
        (Prompt, {"template": " "}, "template: it is empty: say what the model is asked, such as '{input}'"),
        (Prompt, {"template": "{"}, "template: the brace at position 0 stands alone: write {{ for a brace"),
        (Prompt, {"template": "x", "model": "gpt"}, "model.name: 'gpt' is not provider/model"),
        (
            Prompt,
            {"template": "x", "tools": [look]},
            "Prompt has no field 'tools': a prompt has none: write Agent(…, tools=[…])",
        ),
        (Prompt, {"template": "x", "max_repairs": -1}, "max_repairs: Input should be greater than or equal to 0"),
        (Prompt, {"template": "x", "validators": [7]}, "validators[0]: 7 is not a validator"),
        (Agent, {"tools": [A, look, A]}, "tools[2] has the name 'a' of tools[0]: names must differ"),
        (Agent, {"tools": [look, "mcp:s/look"]}, "tools[1] has the name 'look' of tools[0]: names must differ"),
        (Agent, {"tools": ["mcp:s", "mcp:s"]}, "tools[1] has the name 'mcp:s' of tools[0]"),
        (Agent, {"tools": ["mcp:s/a", "mcp:s"]}, "tools[0]: 'mcp:s/a' is among all tools of that server, tools[1]"),
        (Agent, {"tools": [DOTTED]}, "tools[0]: 'a.b' is not a name for a tool: use letters, digits, '_' and '-'"),
        (Agent, {"tools": A}, "tools: Agent 'a' is not a list: write [...]"),
        (Agent, {"delegates": [A]}, "delegates: give them in tools="),
        (Chain, {"steps": []}, "steps: give at least one"),
        (Chain, {"steps": 7}, "steps: 7 is not a list: write [...]"),
        (Chain, {"steps": A}, "steps: Agent 'a' is not a list: write [...]"),
        (Chain, {"steps": [A, 1]}, f"steps[1]: 1 {ANY}"),
        (Chain, {"steps": [A, B, A]}, "steps[2] has the name 'a' of steps[0]: names must differ"),
        (
            Chain,
            {"steps": [Step(A, input="{b}"), B]},
            "steps[0] (a): {b} is the output of a later step: move that step",
        ),
        (Chain, {"steps": [Step(A, input="{a}")]}, "steps[0] (a): {a} is the output of this very step"),
        (Chain, {"steps": [A, TOPIC]}, "steps[1] (topic_prompt): {topic} is unknown here: there is {input}, {a}; name"),
        (Chain, {"steps": [agent("input")]}, "steps[0] has the name 'input' of the chain's own input"),
        (Chain, {"steps": [A], "inputs": ["a"]}, "steps[0] has the name 'a' of inputs[0]: names must differ"),
        (Chain, {"steps": [A], "inputs": ["a.b"]}, "inputs: 'a.b' is not a name for a template"),
        (Chain, {"steps": [A], "inputs": "topic"}, "inputs: 'topic' is not a list: write [...]"),
        (Chain, {"steps": [A], "step": A}, "Chain has no field 'step': did you mean 'steps'?"),
        (Router, {"routes": []}, "routes: give at least one"),
        (Router, {"routes": {"a": A}}, "is not a list: write [...]"),
        (Router, {"routes": [A, "b"]}, f"routes[1]: 'b' {ANY}"),
        (Router, {"routes": [A, Route(B, name="a")]}, "routes[1] has the name 'a' of routes[0]: names must differ"),
        (Router, {"routes": [A, B], "default": "c"}, "default: there is no route 'c': there are a, b"),
        (Router, {"routes": [A], "threshold": 0.5}, "threshold: an input below it takes the default route: name it in"),
        (Router, {"routes": [A], "threshold": 2}, "threshold: Input should be less than or equal to 1"),
        (Router, {"routes": [A], "strategy": "model"}, "model: strategy='model' asks one: name it"),
        (
            Router,
            {"routes": [A], "strategy": "rules", "model": MODEL},
            "model: strategy='rules' asks none: leave it out",
        ),
        (Router, {"routes": [A], "strategy": "luck"}, "strategy: 'luck' is none of 'model', 'embedding', 'rules'"),
        (
            Router,
            {"routes": [A], "strategy": "rules"},
            "routes[0] (a): it has no when=Rule(...) and is not the default",
        ),
        (
            Router,
            {"routes": [A, Route(B, when=Rule(pattern="x"))]},
            "routes[1] (b): when: it goes with strategy='rules'",
        ),
        (
            Router,
            {"routes": [Route(A, max_tokens=9)]},
            "routes[0] (a): max_difficulty and max_tokens go with strategy=",
        ),
        (Parallel, {}, "give branches= or each=, exactly one of them"),
        (Parallel, {"branches": [A], "each": B}, "give branches= or each=, exactly one of them"),
        (Parallel, {"branches": [A, 1]}, f"branches[1]: 1 {ANY}"),
        (Parallel, {"branches": A}, "branches: Agent 'a' is not a list: write [...]"),
        (Parallel, {"branches": [A, A]}, "branches[1] has the name 'a' of branches[0]: names must differ"),
        (Parallel, {"each": 1}, f"each: 1 {ANY}"),
        (Parallel, {"each": A, "over": "{pages}"}, "over: '{pages}' is not a name for a template"),
        (Parallel, {"branches": [A], "over": "pages"}, "over: it names the list of each=, and there is none"),
        (Parallel, {"branches": [A], "limit": 0}, "limit: Input should be greater than or equal to 1"),
        (Parallel, {"branches": [A], "judge": B}, "judge: it goes with join='vote', not with 'all'"),
        (
            Parallel,
            {"branches": [A], "join": "vote", "reducer": B},
            "reducer: it goes with join='all', not with 'vote'",
        ),
        (Parallel, {"branches": [A], "join": "vote", "judge": A}, "judge has the name 'a' of branches[0]"),
        (
            Parallel,
            {"branches": [A], "reducer": TOPIC},
            "reducer (topic_prompt): it is told all outputs as {input}, and",
        ),
        (Parallel, {"branches": [A], "min_completed": 2}, "min_completed: 2 is more than the number of branches, 1"),
        (Parallel, {"branches": [A], "join": "first", "min_completed": 1}, "min_completed: it goes with join='all'"),
        (Team, {"members": []}, "members: give at least one"),
        (Team, {"members": [A, 1], "model": MODEL}, f"members[1]: 1 {ANY}"),
        (Team, {"members": [A, A], "model": MODEL}, "members[1] has the name 'a' of members[0]: names must differ"),
        (Team, {"members": [A]}, "model: name one: somebody has to lead"),
        (Team, {"members": [A], "style": "plan"}, "model: name one: somebody has to plan"),
        (Team, {"members": [A], "style": "debate"}, "model: name one: somebody has to judge"),
        (
            Team,
            {"members": [A], "style": "debate", "judge": B, "model": MODEL},
            "model: leave it out: judge= has its own",
        ),
        (Team, {"members": [A], "style": "debate", "judge": A}, "judge has the name 'a' of members[0]"),
        (
            Team,
            {"members": [A], "style": "debate", "judge": TOPIC},
            "judge (topic_prompt): it is told what was said as",
        ),
        (
            Team,
            {"members": [A], "style": "handoff", "model": MODEL},
            "model: leave it out: the member that answers has",
        ),
        (Team, {"members": [A], "style": "handoff", "output": int}, "output: leave it out: the member that answers"),
        (Team, {"members": [A], "style": "handoff", "instructions": "x"}, "instructions: leave it out"),
        (Team, {"members": [A, CHAIN], "style": "handoff"}, "members[1] (chain): only an Agent can take over a"),
        (Team, {"members": [DOTTED], "style": "handoff"}, "members[0] (a.b): no name for a member that takes over"),
        (Team, {"members": [A], "style": "handoff", "entry": "b"}, "entry: there is no member 'b': there are a"),
        (
            Team,
            {
                "members": [A, Agent(name="b", model=MODEL, tools=[Agent(name="transfer_to_a", model=MODEL)])],
                "style": "handoff",
            },
            "members[1] (b): its tool 'transfer_to_a' has the name by which it hands over",
        ),
        (
            Team,
            {"members": [A], "model": MODEL, "entry": "a"},
            "entry: it goes with style='handoff', not with 'delegate'",
        ),
        (Team, {"members": [A], "model": MODEL, "writer": B}, "writer: it goes with style='plan', not with 'delegate'"),
        (Team, {"members": [A], "model": MODEL, "limit": 2}, "limit: it goes with style='debate' or 'plan', not with"),
        (Team, {"members": [DOTTED], "model": MODEL}, "members[0] (a.b): 'a.b' is not a name for a tool"),
        (Team, {"members": [TOPIC], "style": "plan", "model": MODEL}, "members[0] (topic_prompt): it is told its task"),
        (Team, {"members": [A], "style": "chat", "model": MODEL}, "style: 'chat' is none of 'delegate', 'handoff'"),
    ],
)
def test_what_cannot_be_built_says_where_and_why(kind: type[Node], fields: dict[str, Any], words: str) -> None:
    needed = {"model": MODEL} if kind in {Agent, Prompt} else {}
    with pytest.raises(SpecError) as caught:
        kind(**{"name": "x", **needed, **fields})
    assert str(caught.value).startswith(f"{kind.__name__} 'x': ")
    assert words in str(caught.value)
    assert str(caught.value).count("Tuple should have") == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Step(1), f"Step 'unnamed': run: 1 {ANY}"),  # type: ignore[arg-type]
        (lambda: Step(Step(A)), f"Step 'a': run: Step 'a' {ANY}"),  # type: ignore[arg-type]
        (lambda: Step(A, input="{a.b}"), "Step 'a': input: {a.b} is not a name"),
        (lambda: Step(TOPIC, input="x"), "Step 'topic_prompt': input: it has a template of its own: say there"),
        (lambda: Step(A, inputs="x"), "Step 'a': Step has no field 'inputs': did you mean 'input'?"),
        (lambda: Step(A, name="a b"), "Step 'a b': name: 'a b' is not a name: use up to 64 letters, digits"),
        (lambda: Step(A, name=5), "Step: name: Input should be a valid string"),  # type: ignore[arg-type]
        (
            lambda: Route(Agent, name="r"),  # type: ignore[arg-type]
            "Route 'r': run: the class Agent cannot be run",
        ),
        (lambda: Route(A, examples="where?"), "Route 'a': examples: 'where?' is not a list: write [...]"),
        (lambda: Route(A, max_difficulty=2), "Route 'a': max_difficulty: Input should be less than or equal to 1"),
        (lambda: Rule(pattern="("), "Rule: pattern: '(' is not a regular expression: missing )"),
        (lambda: Rule(patern="x"), "Rule: Rule has no field 'patern': did you mean 'pattern'?"),
        (lambda: Rule(min_chars=5, max_chars=2), "Rule: min_chars: it is 5, more than max_chars=2: it never holds"),
        (lambda: agent(""), "Agent: name: '' is not a name"),
        (lambda: agent("a\n"), "is not a name"),
    ],
)
def test_a_wrong_part(make: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("node", "needs"),
    [
        (A, ()),
        (prompt("p", "{input}"), ()),
        (prompt("p", "{b} {a} {b}"), ("b", "a")),
        (Chain(name="c", steps=[A, Step(B, input="{a} {topic}")], inputs=["topic"]), ("topic",)),
        (Chain(name="c", steps=[agent("topic"), TOPIC]), ()),
        (Router(name="r", routes=[TOPIC, prompt("p", "{x} {topic}"), A]), ("topic", "x")),
        (Parallel(name="p", branches=[TOPIC, A]), ("topic",)),
        (Parallel(name="p", each=TOPIC), ()),
        (Parallel(name="p", each=A, over="pages"), ("pages",)),
        (Team(name="t", members=[TOPIC], model=MODEL), ()),
    ],
)
def test_what_a_runnable_takes_from_around_it(node: Node, needs: tuple[str, ...]) -> None:
    assert node.needs() == needs


def test_an_input_without_what_the_templates_take() -> None:
    check_input(TOPIC, Message.user('{"topic": null}'))
    check_input(A, Message.user("anything"))
    words = r"Prompt 'topic_prompt': template: \{topic\}: no such field in the input, which is not a JSON object"
    with pytest.raises(SpecError, match=words):
        check_input(TOPIC, Message.user("topic"))
    with pytest.raises(SpecError, match="which has the fields a, b: pass the input as a dict with topic"):
        check_input(TOPIC, Message.user('{"a": 1, "b": 2}'))


@pytest.mark.parametrize("node", [node for node in SPECS if isinstance(node, Node)], ids=lambda node: str(node.name))
def test_each_comes_back_from_json_of_any_version(node: Node) -> None:
    def extended(value: Any) -> Any:
        if isinstance(value, list):
            return [extended(item) for item in value]
        known = isinstance(value, dict) and "kind" in value
        return {**{key: extended(item) for key, item in value.items()}, "newer": 1} if known else value

    read = RUNNABLE_ADAPTER.validate_json(json.dumps(extended(json.loads(node.model_dump_json()))))
    assert type(read) is type(node)
    assert read == node
    assert list(read.places()) == list(node.places())
    assert read.needs() == node.needs()


def test_every_kind_nests_in_every_kind() -> None:
    node: Node = agent("leaf", tools=[look])
    for depth in range(2):
        node = Chain(name=f"chain{depth}", steps=[node])
        node = Router(name=f"router{depth}", routes=[node])
        node = Parallel(name=f"parallel{depth}", branches=[node])
        node = Team(name=f"team{depth}", members=[node], model=MODEL)
        node = agent(f"agent{depth}", tools=[node])
    read = RUNNABLE_ADAPTER.validate_json(node.model_dump_json())
    assert read == node
    assert [place for place, _ in read.places()][-1].endswith("branches[0].routes[0].steps[0]")
    assert len(list(read.walk())) == 11


def test_what_has_functions_equals_what_is_read_back_without_them() -> None:
    def polite(answer: str) -> None:
        """Whether it is polite."""

    for sent in (
        prompt("p", output=list[int], validators=[polite]),
        Team(name="t", members=[A], model=MODEL, output=int, validators=[polite]),
    ):
        read = RUNNABLE_ADAPTER.validate_json(sent.model_dump_json())
        assert read == sent
        assert (dict(sent.checks), dict(read.checks)) == ({"polite": polite}, {})
        assert sent.output_type is not None
        assert read.output_type is None


def test_the_output_type_of_a_chain_is_that_of_its_last_step() -> None:
    last = Chain(name="c", steps=[A, prompt("p", output=int)]).output_type
    assert last is not None
    assert last.validate_python("3") == 3
    assert Chain(name="c", steps=[prompt("p", output=int), A]).output_type is None


def test_what_a_router_goes_by_without_being_told() -> None:
    assert Router(name="r", routes=[A]).strategy == "embedding"
    assert Router(name="r", routes=[A], model=MODEL).strategy == "model"
    described = agent("d", instructions="You bill.\nAlways.")
    routes = Router(name="r", routes=[described, Route(described, name="e", description="Else.")]).routes
    assert [(route.name, route.description) for route in routes] == [("d", "You bill."), ("e", "Else.")]


def test_the_leader_of_a_team_has_its_members_as_tools() -> None:
    team = Team(name="t", members=[A, TOPIC], model=MODEL, instructions="Be brief.", output=int, max_rounds=7)
    leader = team.leader
    assert (leader.name, leader.max_turns, leader.output) == ("t", 7, team.output)
    assert leader.instructions.endswith("Be brief.")
    assert [definition.name for definition in leader.head.tools] == ["a", "topic_prompt"]
    with pytest.raises(SpecError, match="Team 't': style 'handoff' has no leader"):
        _ = Team(name="t", members=[A], style="handoff").leader


def test_rounds_by_style() -> None:
    assert Team(name="t", members=[A], model=MODEL).rounds == 50
    assert Team(name="t", members=[A], style="handoff").rounds == 10
    assert Team(name="t", members=[A], style="debate", model=MODEL).rounds == 2
    assert Team(name="t", members=[A], style="plan", model=MODEL).rounds == 3
    assert Team(name="t", members=[A], style="plan", model=MODEL, max_rounds=1).rounds == 1
