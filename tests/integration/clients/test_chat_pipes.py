"""`sostenuto chat` as programs run it: lines in, answers out, by pipes."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, Status
from sostenuto.contracts.wire.live import STREAM_ITEM
from tests.integration.clients.shell import LOOK, Ended, Shell, ended, until
from tests.patience import PATIENCE_SECONDS

KINDS = """
from pydantic import BaseModel
from sostenuto import Agent, App, Chain, Prompt
from shop import support

class Verdict(BaseModel):
    fine: bool
    why: str

judge = Agent(name="judge", model="scripted/judge", output=Verdict)
pipe = Chain(name="pipe", steps=[Prompt(name="first", template="{input}", model="scripted/first"), support])
form = Prompt(name="form", template="Greet {name}.", model="scripted/first")
app = App(judge, pipe, form)
"""
STUCK = '''
import asyncio
from sostenuto import Agent, App, tool

@tool(effect="read")
async def look(at: str) -> str:
    """Look for ever."""
    await asyncio.Event().wait()
    return at

app = App(Agent(name="support", model="scripted/m", tools=[look]))
'''
FINE = {"text": "all fine"}


async def talk(shell: Shell, *words: str, lines: str | bytes) -> Ended:
    """What comes of a chat to which these lines are written."""
    process = await shell.start("chat", *words, stdin=PIPE)
    return await ended(process, lines if isinstance(lines, bytes) else lines.encode())


async def writes(process: Process, line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()


async def test_each_line_is_answered_in_its_turn(shell: Shell) -> None:
    shell.script(LOOK, FINE, {"text": "two lines\nof it"}, {"text": "bye"})
    told = await talk(shell, "shop:app", "support", lines="How is 7?\n\n   \nAnd 8?\r\nBye.")
    assert (told.status, told.out) == (0, "all fine\ntwo lines\nof it\nbye\n")
    begins, *steps, back = told.err.splitlines()
    id_ = begins.split()[1]
    assert begins == f"▶ {id_}  a chat with support; to come back: sostenuto chat shop:app support --id {id_}"
    assert back == f"{id_} stays open; to come back: sostenuto chat shop:app support --id {id_}"
    assert [line.split("  ")[0] for line in map(str.strip, steps)] == ['→ look(at="7")', "↳ look"]


async def test_a_chat_goes_on_where_it_was(shell: Shell, temporal: TemporalClient) -> None:
    shell.script(*({"text": f"answer {number}"} for number in range(1, 6)))
    id_ = f"cli-{shell.queue}"
    first = await talk(shell, "shop:app", "support", "--id", id_, "--title", "My  order", lines="a\nb\nc\nd\n")
    assert first.out == "answer 1\nanswer 2\nanswer 3\nanswer 4\n"
    assert first.err.splitlines()[0] == "My order"
    again = await talk(shell, "shop:app", "support", "--id", id_, lines="/history\n/title Yours\n/nope\ne\n")
    assert (again.status, again.out) == (0, "answer 5\n")
    last = ["> b", "answer 2", "> c", "answer 3", "> d", "answer 4"]
    shown = again.err.splitlines()
    assert shown[:8] == ["My order", "… 1 turn before: /history shows them", *last]
    assert shown[8:16] == ["> a", "answer 1", *last]
    assert shown[16:18] == ["Yours", "there is no /nope: /help tells the commands; a message has two slashes"]

    query = ("--query", f"WorkflowId = '{id_}'")
    assert id_ not in (await shell.run("ls", *query)).out
    listed = await shell.run("ls", "--chats", *query)
    head, row = listed.out.splitlines()
    assert head.split() == ["CHAT", "TITLE", "RUNNABLE", "STATE", "COST", "TOKENS", "STARTED"]
    assert row.split()[:6] == [id_, "Yours", "support", "open", "$0.0000", "75"]
    found = json.loads((await shell.run("ls", "--chats", "--json", *query)).out)
    assert (found["id"], found["title"], found["is_open"]) == (id_, "Yours", True)


@pytest.mark.parametrize(
    ("step", "status", "out", "word"),
    [
        ({"error": "QuotaExceeded"}, 1, "", "□ failed: QuotaExceeded: "),
        ({"text": "I will not", "stop": "refusal"}, 3, "I will not\n", "□ refused: I will not"),
    ],
)
async def test_the_exit_status_is_that_of_the_last_turn(
    shell: Shell, step: dict[str, Any], status: int, out: str, word: str
) -> None:
    shell.script(FINE, step)
    told = await talk(shell, "shop:app", "support", lines="a\nb\n")
    assert (told.status, told.out) == (status, f"all fine\n{out}")
    assert word in told.err


async def test_the_answer_is_what_the_runnable_comes_to(shell: Shell) -> None:
    (shell.directory / "kinds.py").write_text(KINDS)
    verdict = {"output": {"fine": True, "why": "it is"}}
    shell.script(judge=[verdict], first=[{"text": "said first"}], m=[LOOK, FINE])
    assert (await talk(shell, "kinds:app", "judge", lines="?\n")).out == ('{\n  "fine": true,\n  "why": "it is"\n}\n')
    piped = await talk(shell, "kinds:app", "pipe", lines="?\n?\n")
    assert piped.out == "all fine\nall fine\n"
    assert "▷ support: said first" in piped.err


async def test_what_cannot_be_asked_is_told_in_one_line_and_the_next_is_asked(shell: Shell) -> None:
    (shell.directory / "kinds.py").write_text(KINDS)
    shell.script(first=[FINE])
    told = await talk(shell, "kinds:app", "form", lines='hello\n{"name": "Ann"}\n')
    assert (told.status, told.out) == (0, "all fine\n")
    assert "no such field in the input, which is not a JSON object with fields" in told.err.splitlines()[1]
    other = await talk(shell, "kinds:app", "form", lines=b'{"name": "Ann"}\nna\xefve\n')
    assert (other.status, other.out) == (2, "all fine\n")
    assert other.err.splitlines()[1] == "this line is left out: it is not in UTF-8"


async def test_items_are_printed_as_json(shell: Shell) -> None:
    shell.script(LOOK, FINE, FINE)
    told = await talk(shell, "shop:app", "support", "--json", lines="a\nb\n")
    items = [STREAM_ITEM.validate_json(line) for line in told.out.splitlines()]
    assert told.status == 0
    asked = ["model.requested", "model.responded"]
    called = ["tool.requested", "tool.responded"]
    first = ["turn.started", *asked, *called, *asked, "turn.finished"]
    assert [item.type for item in items] == [*first, "turn.started", *asked, "turn.finished"]


async def test_the_end_of_the_input_in_the_middle_of_a_turn(shell: Shell) -> None:
    shell.script(LOOK, {"text": "all fine", "delay_seconds": 1})
    process = await shell.start("chat", "shop:app", "support", stdin=PIPE)
    await writes(process, "How is 7?")
    await until(process, "7 is fine")
    left = await ended(process)
    assert (left.status, left.out) == (0, "all fine\n")


async def test_ctrl_c_interrupts_the_turn_and_the_chat_goes_on(shell: Shell) -> None:
    """The next turn is the same, whether the tool that it is stuck in has begun by then or not."""
    (shell.directory / "stuck.py").write_text(STUCK)
    process = await shell.start("chat", "stuck:app", "support", stdin=PIPE)
    await writes(process, "How is 7?")
    await until(process, '→ look(at="7")')
    process.send_signal(signal.SIGINT)
    await until(process, "interrupting the turn")
    await until(process, "□ cancelled")
    assert process.stdout
    assert await process.stdout.readline() == b"one moment\n"
    left = await ended(process, b"And now?\n")
    assert (left.status, left.out) == (0, "all fine\n")


async def test_a_second_ctrl_c_leaves(shell: Shell) -> None:
    id_ = f"cli-{shell.queue}"
    words = ("chat", "shop:app", "support", "--id", id_, "--no-worker")
    process = await shell.start(*words, stdin=PIPE)
    await writes(process, "How is 7?")
    # That nobody takes it is told meanwhile.
    await until(process, f"⚠ {id_} neither goes on nor ends: no worker takes work from '{shell.queue}'")
    process.send_signal(signal.SIGINT)
    await until(process, "interrupting the turn; Ctrl-C again leaves it")
    process.send_signal(signal.SIGINT)
    left = await ended(process)
    assert (left.status, left.out) == (130, "")
    assert left.err.splitlines() == [
        "left the turn, which is still to be interrupted",
        "the chat has not taken this message: send it again when you are back",
        f"{id_} stays open; to come back: sostenuto {' '.join(words)}",
    ]


async def test_ctrl_c_leaves_where_nothing_is_under_way(shell: Shell) -> None:
    process = await shell.start("chat", "shop:app", "support", stdin=PIPE)
    await writes(process, "/help")
    await until(process, "A message that begins with /")
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 130
    assert "stays open" in (await ended(process)).err


async def test_a_turn_whose_terminal_was_killed_is_followed_to_its_end(shell: Shell) -> None:
    shell.script(LOOK, {"hangs": True})
    id_ = f"cli-{shell.queue}"
    process = await shell.start("chat", "shop:app", "support", "--id", id_, stdin=PIPE)
    await writes(process, "How is 7?")
    await until(process, "7 is fine")
    process.kill()
    await process.wait()
    shell.script(LOOK, FINE, {"text": "bye"})
    told = await talk(shell, "shop:app", "support", "--id", id_, lines="Bye.\n")
    assert (told.status, told.out) == (0, "all fine\nbye\n")
    shown = told.err.splitlines()
    assert shown[:2] == ["How is 7?", "> How is 7?"]
    assert '→ look(at="7")' in told.err


async def test_a_chat_that_is_busy_says_so(shell: Shell, temporal: TemporalClient) -> None:
    shell.script(LOOK, {"hangs": True})
    id_ = f"cli-{shell.queue}"
    queue = ("--task-queue", shell.queue)
    process = await shell.start("chat", "shop:app", "support", "--id", id_, "--when-busy", "reject", *queue, stdin=PIPE)
    chat = await wait_for(temporal, shell, id_)
    turn = chat.send("How is 7?")
    await turn.accepted()
    await writes(process, "And 8?")
    await until(process, f"chat '{id_}': it answers another message: send this one when that is done")
    await chat.interrupt()
    assert (await turn).status is Status.CANCELLED
    assert (await ended(process)).status == 1


async def test_a_chat_that_has_ended_can_be_forked(shell: Shell, temporal: TemporalClient) -> None:
    shell.script(FINE, {"text": "as I said"})
    id_ = f"cli-{shell.queue}"
    ending = await talk(shell, "shop:app", "support", "--id", id_, lines="How is 7?\n/end\nnot sent\n")
    assert (ending.status, ending.out) == (0, "all fine\n")
    way = f"sostenuto chat shop:app support --id {id_}"
    assert ending.err.splitlines()[-1] == f"{id_} has ended; /fork goes on from it: {way}"
    over = f"{id_} has ended, and takes no more messages: /fork goes on in another chat, which has all turns so far"
    refused = await talk(shell, "shop:app", "support", "--id", id_, lines="And?\nnot sent\n")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.splitlines()[3] == over
    assert refused.err.count(f"chat '{id_}' has ended and takes no more messages") == 1
    assert refused.err.splitlines()[-1] == f"{id_} has ended; /fork goes on from it: {way}"
    forked = await talk(shell, "shop:app", "support", "--id", id_, lines="/fork\nAnd?\n")
    assert (forked.status, forked.out) == (0, "as I said\n")
    fork = forked.err.splitlines()[-1].partition(" ")[0]
    assert fork.startswith(f"{id_}-")
    history = await (await Client(temporal).chat(id=fork)).history()
    assert [turn.output for turn in history] == ["all fine", "as I said"]


async def test_a_provider_that_fails_again_and_again_is_told(shell: Shell) -> None:
    shell.script({"error": "Overloaded", "text": "full"})
    process = await shell.start("chat", "shop:app", "support", stdin=PIPE)
    await writes(process, "How is 7?")
    await until(process, ": Overloaded: scripted/m: scripted Overloaded: full")
    process.send_signal(signal.SIGINT)
    assert (await ended(process)).status == 5


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (("shop:app", "nobody"), 2, "no runnable named 'nobody'; it has: support"),
        (("shop:app", "support", "--id", "a/b"), 2, "a/b"),
        (("shop:app", "support", "--address", "127.0.0.1:1"), 1, "no Temporal server answers at 127.0.0.1:1"),
    ],
)
async def test_what_cannot_be_begun_is_told_in_one_line(
    shell: Shell, words: tuple[str, ...], status: int, problem: str
) -> None:
    refused = await talk(shell, *words, lines="Hi\n")
    assert (refused.status, refused.out) == (status, "")
    assert refused.err.count("\n") == 1
    assert refused.err.startswith("sostenuto: ")
    assert problem in refused.err


async def wait_for(temporal: TemporalClient, shell: Shell, id_: str) -> Any:
    """The chat of that id, once it was begun."""
    client = Client(temporal, task_queue=shell.queue)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await client.chats(f"WorkflowId = '{id_}'"):  # noqa: ASYNC110 - the server sends no event
            await asyncio.sleep(0.1)
    return await client.chat(id=id_)


async def test_a_chat_with_a_window_and_a_pinned_message(shell: Shell, temporal: TemporalClient) -> None:
    usage = [{"input_tokens": tokens, "output_tokens": 400} for tokens in (50, 470, 890, 1_310, 700)]
    shell.script(*({"text": "on and on " * 160, "usage": one} for one in usage))
    lines = "/pin My name is Ada.\n" + "".join(f"number {number}\n" for number in range(4))
    told = await talk(shell, "shop:app", "support", "--window", "1500", "--strategy", "window", lines=lines)
    assert told.status == 0
    assert told.out.count("on and on \n") == 5
    assert "✂" in told.err
    begun = told.err.split()[1]
    messages = await (await Client(temporal).chat(id=begun)).transcript()
    assert [message.text for message in messages if message.pinned] == ["My name is Ada."]


async def test_a_window_that_is_none_says_what_to_write(shell: Shell) -> None:
    told = await shell.run("chat", "shop:app", "support", "--window", "80")
    assert told.status == 2
    assert "80 tokens hold no conversation: give at least 256" in told.err
    told = await shell.run("chat", "shop:app", "support", "--strategy", "forget")
    assert "(choose from" in told.err
    assert "clear_tools" in told.err
