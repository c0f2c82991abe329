"""The command line as people run it: in processes of its own, against a real server."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest

from sostenuto.contracts.wire.event import EVENT
from tests.integration.clients.shell import APP, LOOK, Shell, ended, until

TALK = """
from sostenuto import App, Parallel
from shop import support

branches = [support.model_copy(update={"name": name}) for name in ("law", "tax")]
app = App(Parallel(name="both", branches=branches))
"""
FLOW = """
from dataclasses import dataclass
from temporalio import workflow
with workflow.unsafe.imports_passed_through():
    from sostenuto import App
    from sostenuto.workflows import run
    from shop import support

@dataclass
class Place:
    at: str

@workflow.defn
class Report:
    @workflow.run
    async def run(self, place: Place) -> str:
        result = await run(support, f"How is {place.at}?")
        return f"{result.output} at {place.at}"

app = App(support, workflows=[Report])
"""


async def test_a_run_from_start_to_replay(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    ran = await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)
    assert (ran.status, ran.out) == (0, "all fine\n")
    assert "look(at=" in ran.err
    assert "■ completed" in ran.err

    again = await shell.run("run", "shop.py:app", "support", "How is 7?", "--id", id_, "--json")
    result = json.loads(again.out)
    assert (result["id"], result["status"], result["output"]) == (id_, "completed", "all fine")
    assert len(result["messages"]) == 4

    watched = await shell.run("watch", id_, "--json")
    events = [EVENT.validate_json(line) for line in watched.out.splitlines()]
    assert (watched.status, events[0].type, events[-1].type) == (0, "run.started", "run.finished")
    rest = await shell.run("watch", id_, "--json", "--after", events[2].id)
    assert [EVENT.validate_json(line) for line in rest.out.splitlines()] == events[3:]
    assert "■ completed" in (await shell.run("watch", id_)).out

    listed = await shell.run("ls", "--json", "--query", f"WorkflowId = '{id_}'")
    assert json.loads(listed.out)["status"] in ("completed", "running")
    assert id_ in (await shell.run("ls")).out

    assert (await shell.run("export", id_, "-o", "run.json")).status == 0
    exported = await shell.run("export", id_)
    assert json.loads(exported.out) == json.loads((shell.directory / "run.json").read_text())
    replayed = await shell.run("replay", "run.json")
    assert replayed.status == 0
    assert replayed.out.startswith("run.json: ok, ")


async def test_a_run_with_runs_in_it_from_start_to_replay(shell: Shell) -> None:
    (shell.directory / "talk.py").write_text(TALK)
    id_ = f"cli-{shell.queue}"
    ran = await shell.run("run", "talk:app", "both", "How is 7?", "--id", id_)
    assert ran.status == 0
    assert json.loads(ran.out) == {"law": "all fine", "tax": "all fine"}
    shown = ran.err.splitlines()
    assert shown[0] == f"▶ {id_}  both: How is 7?"
    assert {"▷ law: How is 7?", "▷ tax: How is 7?", "law", "tax"} <= set(shown)
    assert len([text for text in shown if text.startswith(("□ law completed", "□ tax completed"))]) == 2
    assert shown[-1].startswith("■ completed  4 turns")

    watched = await shell.run("watch", id_, "--json")
    events = [EVENT.validate_json(line) for line in watched.out.splitlines()]
    middle = len(events) // 2
    rest = await shell.run("watch", id_, "--json", "--after", events[middle].position)
    told = {EVENT.validate_json(line).id for line in rest.out.splitlines()}
    assert told == {event.id for event in events[middle + 1 :]}

    query = ("--query", f"RootWorkflowId = '{id_}'")
    for options, wanted in ((query, {id_}), ((*query, "--nested"), {id_, f"{id_}/law", f"{id_}/tax"})):
        listed = await shell.run("ls", "--json", *options)
        assert {json.loads(line)["id"] for line in listed.out.splitlines()} == wanted

    assert (await shell.run("export", id_, "--nested")).status == 2
    assert (await shell.run("export", id_, "--nested", "-o", "run.json")).status == 0
    files = ["run.json", "run.json.nested/law.json", "run.json.nested/tax.json"]
    replayed = await shell.run("replay", *files)
    assert [line.partition(": ")[0] for line in replayed.out.splitlines()] == files
    assert replayed.status == 0


async def test_a_code_first_workflow_from_start_to_replay(shell: Shell) -> None:
    (shell.directory / "flow.py").write_text(FLOW)
    id_ = f"cli-{shell.queue}"
    ran = await shell.run("run", "flow:app", "Report", '{"at": "7"}', "--id", id_)
    assert (ran.status, ran.out) == (0, "all fine at 7\n")
    shown = ran.err.splitlines()
    assert shown[0] == f'▶ {id_}  Report: {{"at": "7"}}'
    assert "▷ support: How is 7?" in shown
    assert shown[-1].startswith("■ completed  2 turns")
    assert json.loads((await shell.run("ls", "--json", "--query", f"WorkflowId = '{id_}'")).out)["runnable"] == "Report"

    await shell.run("export", id_, "-o", "run.json")
    replayed = await shell.run("replay", "--app", "flow:app", "run.json")
    assert (replayed.status, replayed.out.startswith("run.json: ok, ")) == (0, True)
    refused = await shell.run("run", "flow:app", "Report", "7")
    assert refused.status == 2
    assert "Report cannot take this input, as JSON: Input should be an object" in refused.err


async def test_replay_tells_where_the_code_decides_otherwise(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)
    await shell.run("export", id_, "-o", "run.json")
    history = (shell.directory / "run.json").read_text()
    (shell.directory / "other.json").write_text(history.replace('"name": "look"', '"name": "gaze"'))
    replayed = await shell.run("replay", "run.json", "other.json")
    assert replayed.status == 1
    good, bad = replayed.out.splitlines()
    assert good.startswith("run.json: ok")
    assert bad.startswith("other.json: the code decides otherwise than this history: ")
    assert "look" in bad
    verdicts = [json.loads(line) for line in (await shell.run("replay", "--json", "other.json")).out.splitlines()]
    assert [verdict["ok"] for verdict in verdicts] == [False]


async def test_replay_finds_large_payloads_where_the_stack_here_keeps_them(shell: Shell) -> None:
    shell.script({"text": "x" * 300_000})
    shell.set("SOSTENUTO_PAYLOAD_DIR", ".sostenuto/payloads")
    id_ = f"cli-{shell.queue}"
    assert (await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)).status == 0
    await shell.run("export", id_, "-o", "run.json")
    shell.set("SOSTENUTO_PAYLOAD_DIR", None)
    replayed = await shell.run("replay", "run.json")
    assert (replayed.status, replayed.out.startswith("run.json: ok, ")) == (0, True)

    (shell.directory / ".sostenuto").rename(shell.directory / "elsewhere")
    lost = await shell.run("replay", "run.json")
    assert (lost.status, lost.out) == (
        1,
        "run.json: its large payloads lie outside the history: set SOSTENUTO_PAYLOAD_DIR to the directory that the "
        "run's workers use\n",
    )
    shell.set("SOSTENUTO_STATE_DIR", "elsewhere")
    assert (await shell.run("replay", "run.json")).status == 0


async def test_export_names_the_file_that_it_cannot_write(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)
    for place, why in (("nowhere/run.json", "No such file or directory"), (".", "Is a directory")):
        refused = await shell.run("export", id_, "-o", place)
        assert (refused.status, refused.out) == (2, "")
        assert refused.err == f"sostenuto: {place} cannot be written: {why}\n"


@pytest.mark.parametrize(
    ("steps", "status", "word"),
    [
        ([{"error": "QuotaExceeded"}], 1, "failed"),
        ([{"text": "I will not", "stop": "refusal"}], 3, "refused"),
        ([LOOK] * 8, 4, "exhausted"),
    ],
)
async def test_the_exit_status_tells_how_it_ended(
    shell: Shell, steps: list[dict[str, Any]], status: int, word: str
) -> None:
    shell.script(*steps)
    ran = await shell.run("run", "shop:app", "support", "How is 7?", "--id", f"cli-{shell.queue}")
    assert (ran.status, f"■ {word}" in ran.err) == (status, True)
    assert (await shell.run("watch", f"cli-{shell.queue}", "--json")).status == status


async def test_what_is_asked_is_read_from_standard_input(shell: Shell) -> None:
    words = ("run", "shop:app", "support", "-")
    asked = await ended(await shell.start(*words, stdin=subprocess.PIPE), "Wie geht es 7, Jürgen?".encode())
    assert (asked.status, asked.out) == (0, "all fine\n")
    latin = await ended(await shell.start(*words, stdin=subprocess.PIPE), "Jürgen".encode("latin-1"))
    assert (latin.status, latin.out) == (2, "")
    assert "standard input is not text in UTF-8: byte 2 is 0xfc" in latin.err
    blank = await ended(await shell.start(*words, stdin=subprocess.PIPE), b" \n")
    assert (blank.status, blank.out) == (2, "")
    assert "the input is blank" in blank.err


async def test_an_id_under_which_something_else_was_asked(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    assert (await shell.run("run", "shop:app", "support", "How is 7?", "--id", id_)).status == 0
    other = await shell.run("run", "shop:app", "support", "How is 8?", "--id", id_)
    assert (other.status, other.out) == (2, "")
    assert f"'{id_}' was started already, and was asked something else" in other.err


async def test_what_a_model_makes_up_is_no_markup(shell: Shell) -> None:
    shell.script({"tool_calls": [{"name": "[/look]", "arguments": {"[at]": "[/7]"}}]}, {"text": "[/fine]"})
    ran = await shell.run("run", "shop:app", "support", "[/Hm]")
    assert (ran.status, ran.out) == (0, "[/fine]\n")
    assert '→ [/look]([at]="[/7]")' in ran.err


async def test_ctrl_c_cancels_the_run(shell: Shell) -> None:
    shell.script(LOOK, {"hangs": True})
    process = await shell.start("run", "shop:app", "support", "How is 7?")
    await until(process, "7 is fine")
    process.send_signal(signal.SIGINT)
    left = await ended(process)
    assert (left.status, left.out) == (5, "one moment\n")
    assert "■ cancelled" in left.err


async def test_a_second_ctrl_c_leaves_the_run(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    process = await shell.start("run", "shop:app", "support", "How is 7?", "--no-worker", "--id", id_)
    await until(process, f"▶ {id_}")
    process.send_signal(signal.SIGINT)
    await until(process, f"cancelling {id_}")
    process.send_signal(signal.SIGINT)
    assert (await ended(process)).status == 130


async def test_a_worker_serves_until_it_is_told_to_stop(shell: Shell) -> None:
    worker = await shell.start("worker", "shop:app")
    await until(worker, "serving support")
    ran = await shell.run("run", "shop:app", "support", "How is 7?", "--no-worker")
    assert (ran.status, ran.out) == (0, "all fine\n")
    worker.send_signal(signal.SIGTERM)
    assert (await ended(worker)).status == 0


async def test_ctrl_c_leaves_a_watched_run_alone(shell: Shell) -> None:
    shell.script(LOOK, {"hangs": True})
    id_ = f"cli-{shell.queue}"
    running = await shell.start("run", "shop:app", "support", "How is 7?", "--id", id_)
    await until(running, "7 is fine")
    watching = await shell.start("watch", id_, "--json")
    assert watching.stdout is not None
    await watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    assert (await ended(watching)).status == 130
    assert running.returncode is None
    running.send_signal(signal.SIGINT)
    assert (await ended(running)).status == 5


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (("run", "shop:app", "nobody", "Hi"), 2, "no runnable named 'nobody'; it has: support"),
        (("run", "shop:other", "support", "Hi"), 2, "shop has no 'other'; its apps are: app"),
        (("run", "shop:app", "support", ""), 2, "the input is empty"),
        (("watch", "nowhere"), 2, "run 'nowhere': there is no such run"),
        (("export", "nowhere"), 2, "run 'nowhere': there is no such run"),
        (("ls", "--query", "nonsense (("), 2, "the Temporal server rejects it"),
        (("ls", "--query", "Nope = 'x'"), 2, "rejects it: invalid query: invalid search attribute: Nope"),
        (("ls", "--query", "SostenutoTokens = 'x'"), 2, "invalid value type for search attribute SostenutoTokens"),
        (("ls", "--address", "127.0.0.1:1"), 1, "no Temporal server answers at 127.0.0.1:1"),
        (("replay", "nowhere.json"), 2, "nowhere.json cannot be read: No such file"),
        (("replay", "shop.py"), 2, "shop.py is not a history"),
    ],
)
async def test_what_cannot_be_is_told_in_one_line(
    shell: Shell, words: tuple[str, ...], status: int, problem: str
) -> None:
    refused = await shell.run(*words)
    assert (refused.status, refused.out) == (status, "")
    assert refused.err.count("\n") == 1
    assert refused.err.startswith("sostenuto: ")
    assert problem in refused.err


async def test_a_missing_key_is_named_before_the_run_starts(shell: Shell) -> None:
    (shell.directory / "keyless.py").write_text(APP.replace("scripted/m", "anthropic/claude-haiku-5-5"))
    id_ = f"keyless-{shell.queue}"
    ran = await shell.run("run", "keyless:app", "support", "How is 7?", "--id", id_)
    assert ran.status == 1
    assert "agent 'support': model: anthropic/claude-haiku-5-5: no key: set ANTHROPIC_API_KEY" in ran.err
    assert (await shell.run("watch", id_)).status == 2
