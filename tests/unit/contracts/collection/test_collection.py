"""Collections as people write them, and the tool that searches one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sostenuto import Agent, App, Collection, SpecError
from sostenuto.contracts.collection.document import Loader

HANDBOOK = Collection("handbook", description="How we work.", fields={"team": str, "year": int})


def read(data: bytes, uri: str) -> str:
    """Read a document."""
    return f"{uri}: {data.decode()}"


def _other() -> Loader:
    def read(data: bytes, uri: str) -> str:
        return f"{data.decode()} of {uri}"

    return read


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "hand/book"}, "name: 'hand/book' is not a name of a collection"),
        ({"name": ""}, "is not a name of a collection"),
        ({"loaders": [len]}, "is not a dict of functions by suffix: write {'.eml': read_mail}"),
        ({"loaders": {"eml": read}}, "loaders: 'eml' is not the suffix of files: write it as '.eml', in lower case"),
        ({"loaders": {".EML": read}}, "loaders: '.EML' is not the suffix of files"),
        ({"loaders": {".eml": lambda data, uri: ""}}, "is not a loader: pass a function that has a name"),
        ({"loaders": {".eml": "read"}}, "loaders['.eml']: 'read' is not a loader: pass a function that has a name"),
        ({"loaders": {".a": read, ".b": _other()}}, "loaders['.b']: there is already another loader named 'read'"),
        ({"embedding": "minilm"}, "embedding: 'minilm' is not provider/model, such as local/minilm"),
        ({"rerank": "best"}, "rerank: 'best' is no way to rerank: there are maxsim, none, model:PROVIDER/MODEL, http:"),
        ({"rerank": "model:openai"}, "rerank: 'model:openai' is no way to rerank"),
        ({"rerank": "http:/m"}, "rerank: 'http:/m' is no way to rerank"),
        (
            {"rerank": "maxsim", "embedding": "openai/m"},
            "rerank: 'maxsim' compares vectors of words, which local/minilm alone stores, and not openai/m: take",
        ),
        ({"chunk_tokens": 207}, "chunk_tokens: local/minilm reads 206 tokens of a passage under its headings, and 207"),
        ({"limit": 0}, "limit"),
        ({"fields": {"query": str}}, "'query' cannot be the name of a field"),
        ({"fields": {"year": int, "year_from": int}}, "'year_from' cannot be the name of a field"),
        ({"field": {}}, "Collection has no field 'field': did you mean 'fields'?"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=re.escape(words)):
        Collection(**{"name": "handbook", **arguments})


def test_words_are_compared_where_the_embedding_has_vectors_of_them() -> None:
    assert Collection("c").rerank == "maxsim"
    assert Collection("c", embedding="openai/text-embedding-3-small", chunk_tokens=2_000).rerank == "none"
    for rerank in ("none", "model:openai/gpt-5.5", "http:cohere/rerank-v3.5"):
        assert Collection("c", rerank=rerank).rerank == rerank


def test_what_a_history_says_of_a_collection_is_taken_as_it_is() -> None:
    """An earlier version had one default for every embedding, and no limit of passages."""
    read = Collection.model_validate_json('{"name": "c", "embedding": "openai/m", "chunk_tokens": 8000}')
    assert read.rerank == "maxsim"
    assert Collection.model_validate_json('{"name": "c", "chunk_tokens": 8000}').chunk_tokens == 8_000


def test_a_model_sees_a_query_and_typed_filters() -> None:
    definition = HANDBOOK.search.definition
    assert definition.name == "search_handbook"
    assert definition.description.startswith("Search handbook: How we work. Returns passages, each with an id to cite.")
    properties = definition.parameters["properties"]
    assert list(properties) == ["query", "team", "year", "year_from", "year_to"]
    assert (properties["year"]["type"], definition.parameters["required"]) == ("integer", ["query"])


def test_what_a_model_sets_becomes_conditions() -> None:
    search = HANDBOOK.search
    asked = {"query": "x", "team": "core", "year_from": 2024, "year_to": None}
    assert [condition.model_dump() for condition in search.conditions(asked)] == [
        {"field": "team", "any_of": ("core",)},
        {"field": "year", "at_least": 2024},
    ]
    with pytest.raises(SpecError, match="search_handbook: there is no field 'colour'"):
        search.conditions({"query": "x", "colour": "red"})


def test_fixed_filters_hold_whatever_a_model_sets() -> None:
    search = HANDBOOK.search(name="find", limit=3, filters={"team": "core"})
    assert (search.name, search.limit) == ("find", 3)
    assert [condition.field for condition in search.conditions({"query": "x", "year": 2024})] == ["team", "year"]
    with pytest.raises(SpecError, match="there is no field 'team'; there are: year"):
        search.conditions({"query": "x", "team": "ops"})
    with pytest.raises(SpecError, match=r"handbook\.search: filters: there is no field 'colour'"):
        HANDBOOK.search(filters={"colour": "red"})


def test_an_agent_takes_a_search_and_not_a_collection() -> None:
    agent = Agent(name="ask", model="local/m", tools=[HANDBOOK.search])
    assert [tool.name for tool in agent.head.tools] == ["search_handbook"]
    held = Agent(name="ask", model="local/m", tools=[HANDBOOK.search], tool_choice="search_handbook")
    assert held.tool_choice == "search_handbook"
    with pytest.raises(SpecError, match=r"collection 'handbook' is not a tool: write handbook\.search"):
        Agent(name="ask", model="local/m", tools=[HANDBOOK])  # type: ignore[list-item]
    with pytest.raises(SpecError, match="names must differ"):
        Agent(name="ask", model="local/m", tools=[HANDBOOK.search, HANDBOOK.search])


def test_an_app_serves_what_its_runnables_search() -> None:
    agent = Agent(name="ask", model="local/m", tools=[HANDBOOK.search])
    assert App(agent).collections == {"handbook": HANDBOOK}
    assert App(agent, collections=[HANDBOOK]).collections == {"handbook": HANDBOOK}
    with pytest.raises(SpecError, match="there is already another collection named 'handbook'"):
        App(agent, collections=[Collection("handbook")])
    mine, others = (Collection("mail", loaders={".eml": loader}) for loader in (read, _other()))
    assert mine == others, "as far as a history tells"
    with pytest.raises(SpecError, match="there is already another collection named 'mail'"):
        App(collections=[mine, others])
    with pytest.raises(SpecError, match=r"App: collections\[0\]: 'handbook' is not a collection"):
        App(collections=["handbook"])  # type: ignore[list-item]


def test_a_suffix_is_looked_for_in_a_name_as_people_write_it() -> None:
    inbox = Collection("inbox", loaders={".größe": read})
    for uri in (Path("/docs/a b.größe").as_uri(), Path("/docs/A.GRÖßE").as_uri(), "https://example.com/a.größe?x#y"):
        assert inbox.loader_of(uri) == "read"
    assert not inbox.loader_of(Path("/docs/a.größe/x?.md").as_uri())
    assert inbox.loader_of("s3://docs/what? #1.größe") == "read"
    assert not inbox.loader_of("s3://docs/a.größe?b")
