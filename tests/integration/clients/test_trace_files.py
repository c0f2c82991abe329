"""`sostenuto trace` writes a page, and tells the same of an exported run as of the one on the server."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

from sostenuto.history.trace.step import Trace
from tests.integration.agent.stage import eventually
from tests.integration.clients.shell import Shell, ended

TALK = """
from sostenuto import Agent, App, Parallel
from shop import look, support

law, tax = (Agent(name=name, model="scripted/m", tools=[look]) for name in ("law", "tax"))
app = App(Parallel(name="both", branches=[law, tax]))
"""


async def test_an_exported_run_is_traced_without_a_server(shell: Shell) -> None:
    (shell.directory / "talk.py").write_text(TALK)
    id_ = f"cli-{shell.queue}"
    await shell.run("run", "talk:app", "both", "How is 7?", "--id", id_)
    assert (await shell.run("export", id_, "--nested", "-o", "run.json")).status == 0
    assert (await shell.run("export", id_, "-o", "alone.json")).status == 0
    live = {form: await shell.run("trace", id_, *form) for form in ((), ("--json",), ("--full",))}
    paged = await shell.run("trace", id_, "--html", "live.html")
    assert (paged.status, paged.out) == (0, "")
    assert "the page was written to live.html" in paged.err

    shell.set("TEMPORAL_ADDRESS", "127.0.0.1:9")
    for form, told in live.items():
        assert (await shell.run("trace", "run.json", *form)).out == told.out
    assert len(Trace.model_validate_json(live["--json",].out).run.steps) == 2
    page = (await shell.run("trace", "run.json", "--html", "-")).out
    assert "Read from the exported history run.json." in page
    assert _content(page)["steps"] == _content((shell.directory / "live.html").read_text())["steps"]

    alone = await shell.run("trace", "alone.json")
    assert alone.out.count("its history is not with the file, which `sostenuto export --nested` adds") == 2
    assert "100 %" not in alone.out.splitlines()[-1] or "in nested runs that are not told" in alone.out


GATE = """
import asyncio
from pathlib import Path
from sostenuto import Agent, App, tool

@tool(effect="read")
async def look(at: str) -> str:
    \"""Look once somebody opens.\"""
    while not Path("open").exists():
        await asyncio.sleep(0.05)
    return f"{at} is fine"

support = Agent(name="support", model="scripted/m", tools=[look])
app = App(support)
"""


async def test_a_trace_goes_on_with_its_run(shell: Shell) -> None:
    (shell.directory / "gate.py").write_text(GATE)
    id_, page = f"cli-{shell.queue}", shell.directory / "live.html"
    running = await shell.start("run", "gate:app", "support", "How is 7?", "--id", id_)

    async def tells_of_the_tool() -> bool:
        return "look" in (await shell.run("trace", id_)).out

    await eventually(tells_of_the_tool)
    written = await shell.start("trace", id_, "--follow", "--html", page.name)
    printed = await shell.start("trace", id_, "--follow")
    left = await shell.start("trace", id_, "--follow", "--html", "left.html")

    async def are_written() -> bool:
        return page.exists() and (shell.directory / "left.html").exists()

    await eventually(are_written)
    going = _content(page.read_text())
    assert (going["reload"], going["steps"][0].get("seconds")) == (2.0, None)
    left.send_signal(signal.SIGINT)
    assert (await ended(left)).status == 130
    assert (await shell.run("trace", id_)).status == 0
    assert _content((shell.directory / "left.html").read_text())["reload"] == 0.0

    (shell.directory / "open").touch()
    assert (await ended(running)).status == 0
    told = await ended(printed)
    assert (told.status, told.out) == (0, (await shell.run("trace", id_)).out)
    assert (await ended(written)).status == 0
    over = _content(page.read_text())
    assert (over["reload"], over["steps"][0]["status"]) == (0.0, "completed")
    assert [*shell.directory.glob(".live.html*")] == []

    assert (await shell.run("export", id_, "-o", "run.json")).status == 0
    refused = await shell.run("trace", "run.json", "--follow")
    assert (refused.status, refused.out) == (2, "")
    assert "an exported history does not go on" in refused.err


async def test_what_cannot_be_traced(shell: Shell) -> None:
    (shell.directory / "empty.json").write_text("")
    (shell.directory / "shop.json").write_text('{"events": []}')
    for words, status, said in (
        (("nobody",), 2, "run 'nobody': there is no such run, or its history is past the retention time"),
        (("empty.json",), 2, "empty.json is not a history"),
        (("shop.json", "--html", "page.html"), 2, "shop.json is a history without events: export it again"),
        (("nobody.json",), 2, "nobody.json cannot be read: No such file or directory"),
        (("nobody", "--json", "--html", "page.html"), 2, "not allowed with argument --json"),
    ):
        refused = await shell.run("trace", *words)
        assert (refused.status, refused.out) == (status, "")
        assert said in refused.err
        assert "Traceback" not in refused.err
    id_ = f"cli-{shell.queue}"
    await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)
    for place in ("no-such-directory/page.html", "."):
        refused = await shell.run("trace", id_, "--html", place)
        assert refused.status == 2
        assert f"{place} cannot be written: " in refused.err


async def test_the_page_of_a_run_under_way(shell: Shell) -> None:
    """It is written at once, tells what there is by then, and says that there is more to come."""
    shell.script({"text": "", "tool_calls": [{"name": "look", "arguments": {"at": "the sea"}}]})
    waits = 'if at == "the sea":\n        import asyncio\n        await asyncio.sleep(600)\n    return'
    shop = shell.directory / "shop.py"
    shop.write_text(shop.read_text().replace("return", waits, 1))
    id_ = f"cli-{shell.queue}"

    async def at_work() -> bool:
        return '"kind": "tool"' in (await shell.run("trace", id_, "--json")).out

    going = await shell.start("run", "shop:app", "support", "How is 7?", "--id", id_)
    try:
        await eventually(at_work)
        assert (await shell.run("trace", id_, "--html", "page.html")).status == 0
        content = _content((shell.directory / "page.html").read_text())
        assert [(step["kind"], "seconds" in step) for step in content["steps"]] == [
            *(("run", False), ("model", True), ("tool", False))
        ]
        assert content["now"] > content["steps"][2]["at"]
        assert (await shell.run("export", id_, "-o", "run.json")).status == 0
        assert " s so far" in (await shell.run("trace", "run.json")).out
    finally:
        going.terminate()
        await going.wait()


def test_the_parts_of_the_page_are_in_the_package() -> None:
    """They are files beside the code, and go where it goes."""
    folder = Path(sys.modules[Trace.__module__].__file__ or "").parent / "page"
    assert {file.suffix for file in folder.iterdir() if file.is_file()} == {".py", ".html", ".css", ".js"}


def _content(page: str) -> dict[str, Any]:
    found = re.search(r'id="content">(.*?)</script>', page)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content
