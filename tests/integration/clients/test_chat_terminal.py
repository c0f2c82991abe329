"""`sostenuto chat` as people use it: on a terminal, token by token."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from sostenuto.workers.stack.valkey_server import ValkeyServer
from tests.integration.clients.shell import LOOK, Shell, ended
from tests.integration.clients.typed import CTRL_C, CTRL_D, UP, Typed, typed

TOOLS = '''
import asyncio
from sostenuto import Agent, App, ToolContext, tool

@tool(effect="read")
async def look(at: str, ctx: ToolContext) -> str:
    """Look at something."""
    while not open("found").read():
        await ctx.progress("looking around", done=2, total=6)
        await asyncio.sleep(0.1)
    return f"{at} is fine"

app = App(Agent(name="support", model="scripted/m", tools=[look]))
'''
SLOW = {"seconds_per_word": 0.3}
STORY = {"text": "It rains in Rome and it snows in Oslo.", **SLOW}


@pytest.fixture
def live(shell: Shell, valkey: ValkeyServer) -> Shell:
    """Where commands have a live channel."""
    shell.set("SOSTENUTO_REDIS_URL", valkey.url.get_secret_value())
    return shell


async def test_an_answer_appears_token_by_token(live: Shell) -> None:
    live.script(LOOK, {"text": "All fine.", **SLOW}, STORY, {"text": "Bye.", "reasoning": "hm", **SLOW})
    async with typed(live, "chat", "shop:app", "support") as person:
        mode = person.mode
        await person.until("▶ support-")
        await person.until("/help tells the commands; Ctrl-D leaves")
        await person.prompt()
        person.say("How is 7?")
        await person.until("How is 7?\n")
        await person.until('one moment\n     → look(at="7")\n')
        await person.until("7 is fine\n")
        await person.until("All fine.\n> ")
        person.say("Tell me a story.")
        await person.until("It rains in ")
        assert "Oslo" not in person.shown
        await person.until("Rome and it snows in Oslo.\n> ")
        person.write(UP)
        await person.until("Tell me a story.")
        person.write("\x01Please: ")
        person.say("")
        await person.until("Bye.\n> ")
        person.write(CTRL_D)
        await person.until("stays open; to come back: sostenuto chat shop:app support --id support-")
        assert await person.ended() == 0
        assert person.mode == mode
    listed = json.loads((await live.run("ls", "--chats", "--json", "--limit", "1")).out)
    assert listed["title"] == "How is 7?"


async def test_what_a_failed_attempt_said_is_void(live: Shell) -> None:
    live.script({"text": "It rains in Rome today.", "dies": True, "faulty_attempts": 1, **SLOW})
    async with typed(live, "chat", "shop:app", "support") as person:
        await person.prompt()
        person.say("How is the weather?")
        await person.until("It rains \n(that is void)\n")
        await person.until("\nIt rains in Rome today.\n> ")


async def test_how_far_a_tool_is_stands_at_the_foot(live: Shell) -> None:
    (live.directory / "found").write_text("")
    (live.directory / "tools.py").write_text(TOOLS)
    async with typed(live, "chat", "tools:app", "support") as person:
        await person.prompt()
        person.say("How is 7?")
        await person.until("waiting for look")
        await person.until("looking around 2 of 6")
        (live.directory / "found").write_text("yes")
        await person.until("7 is fine\n")
        await person.until("all fine\n> ")


async def test_ctrl_c_interrupts_then_leaves(live: Shell) -> None:
    live.script(STORY, {"text": "Bye."})
    id_ = f"cli-{live.queue}"
    async with typed(live, "chat", "shop:app", "support", "--id", id_) as person:
        await person.prompt()
        mode = person.mode
        person.say("Tell me a story.")
        await person.until("It rains")
        person.write(CTRL_C)
        await person.until("\ninterrupting the turn; Ctrl-C again leaves it\n")
        await person.until("□ cancelled")
        await person.prompt()
        person.say("Bye?")
        await person.until("Bye.\n> ")
        person.write(f"half a line{CTRL_C}")
        await person.until(f"\n{id_} stays open; to come back: sostenuto chat shop:app support --id {id_}\n")
        assert await person.ended() == 130
        assert person.mode != mode  # that of the line editor
    async with typed(live, "chat", "shop:app", "support", "--id", id_) as person:
        await person.until("Tell me a story.\n> Tell me a story.\nIt rains")
        await person.until("□ cancelled")
        await person.until("> Bye?\nBye.\n")
        await person.prompt()


async def test_a_second_ctrl_c_leaves_the_turn(live: Shell) -> None:
    live.script(STORY)
    async with typed(live, "chat", "shop:app", "support", "--no-worker") as person:
        await person.prompt()
        person.say("Tell me a story.")
        await person.until("waiting for the chat")
        person.write(CTRL_C)
        await person.until("interrupting the turn")
        person.write(CTRL_C)
        await person.until("the chat has not taken this message: send it again when you are back\n")
        await person.until("stays open")
        assert await person.ended() == 130


async def test_a_terminal_that_goes_leaves_the_turn_to_whoever_comes_back(live: Shell) -> None:
    live.script({**STORY, "seconds_per_word": 0.6})
    id_ = f"cli-{live.queue}"
    worker = await live.start("worker", "shop:app")
    options = ("--id", id_, "--no-worker")
    async with typed(live, "chat", "shop:app", "support", *options) as person:
        await person.prompt()
        person.say("Tell me a story.")
        await person.until("It rains")
        person.hang_up()
        await person.process.wait()
    async with typed(live, "chat", "shop:app", "support", *options) as person:
        # It is followed to its end before anything is asked, and what was said before is told. Beside busy processes
        # the turn may be over by now, which another line says.
        await person.until("> Tell me a story.\n")
        await person.until("It rains in Rome and it snows in Oslo.")
        await person.prompt()
        person.say("/quit")
        assert await person.ended() == 0
    worker.terminate()
    assert (await ended(worker)).status == 0


async def test_commands_begin_with_a_slash(shell: Shell) -> None:
    shell.script({"text": "one"}, {"text": "two"}, {"text": "three"})
    id_ = f"cli-{shell.queue}"
    async with typed(shell, "chat", "shop:app", "support", "--id", id_, "--title", "Counting") as person:
        await person.until("Counting\n")
        await person.prompt()
        person.say("/help")
        await person.until("/history     show all turns so far\n")
        await person.until("A message that begins with / is written with two.\n> ")
        person.say("//first")
        await person.until("one\n> ")
        person.say("   ")
        await person.until("> ")
        person.say("/later")
        await person.until("there is no /later: /help tells the commands; a message has two slashes\n> ")
        person.say("/title  Counting on ")
        await person.until("Counting on\n> ")
        person.say("/fork")
        await person.until(f"▶ {id_}-")
        fork = f"{id_}-{await word(person)}"
        await person.until(f"to come back: sostenuto chat shop:app support --id {fork}\n> ")
        person.say("again")
        await person.until("two\n> ")
        person.say("/history")
        await person.until("> /first\none\n> again\ntwo\n> ")
        person.say("/end")
        await person.until(f"{fork} has ended; /fork goes on from it: ")
        assert await person.ended() == 0
    query = f"WorkflowId STARTS_WITH '{id_}'"
    rows = [json.loads(row) for row in (await shell.run("ls", "--chats", "--json", "--query", query)).out.splitlines()]
    assert {(row["id"], row["is_open"]) for row in rows} == {(id_, True), (fork, False)}
    assert {row["title"] for row in rows} == {"Counting on"}


async def word(person: Typed) -> str:
    """What is shown next, up to a blank."""
    start = person.shown.rindex("▶")
    await person.until("  a chat with support")
    return person.shown[start:].split()[1].rpartition("-")[2]


async def test_an_ended_chat_says_so_and_can_be_forked(shell: Shell) -> None:
    shell.script({"text": "one"}, {"text": "two"})
    words = ("chat", "shop:app", "support", "--id", f"cli-{shell.queue}")
    process = await shell.start(*words, stdin=asyncio.subprocess.PIPE)
    assert (await ended(process, b"first\n/end\n")).status == 0
    async with typed(shell, *words) as person:
        await person.until("has ended, and takes no more messages: /fork goes on in another chat")
        await person.prompt()
        person.say("more")
        await person.until("has ended and takes no more messages: begin another one, or fork it\n")
        await person.prompt()
        person.say("/fork")
        await person.until("a chat with support; to come back")
        await person.prompt()
        person.say("more")
        await person.until("two\n> ")
        person.write(CTRL_D)
        assert await person.ended() == 0


async def test_what_is_pasted_at_once_is_one_message(shell: Shell) -> None:
    shell.script({"text": "one"})
    async with typed(shell, "chat", "shop:app", "support", "--json") as person:
        await person.prompt()
        person.write("\x1b[200~two\nlines\x1b[201~")
        person.say("")
        await person.until('"text":"two\\nlines"')
        await person.until('"type":"turn.finished"')
        await person.prompt()


async def test_a_pipe_behind_a_terminal_has_the_answers_alone(shell: Shell, tmp_path: Path) -> None:
    shell.script(LOOK, {"text": "all fine"}, {"text": "bye"})
    out = tmp_path / "out.txt"
    with out.open("w") as file:
        async with typed(shell, "chat", "shop:app", "support", stdout=file) as person:
            await person.prompt()
            person.say("How is 7?")
            await person.until("7 is fine\n")
            await person.prompt()
            person.say("na\udcefve")
            await person.until("this line is left out: it is not in UTF-8\n> ")
            person.say("Bye.")
            await person.prompt()
            person.write(CTRL_D)
            assert await person.ended() == 0
    assert out.read_text() == "all fine\nbye\n"


async def test_without_a_live_channel_an_answer_comes_whole(shell: Shell) -> None:
    shell.script(LOOK, {"text": "All fine.\nTwo lines."})
    async with typed(shell, "chat", "shop:app", "support", stderr=subprocess.DEVNULL) as person:
        await person.until("> ")
        person.say("How is 7?")
        await person.until("How is 7?\none moment\nAll fine.\nTwo lines.\n> ")
        person.write(CTRL_D)
        assert await person.ended() == 0
