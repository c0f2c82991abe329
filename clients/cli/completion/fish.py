"""Writes the completions for fish, from 3.4 on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .grammar import APPS, Command, TypedWord

_SCRIPT = r"""
# Completions of sostenuto for fish. In ~/.config/fish/config.fish:  sostenuto completion fish | source

# Says whether what is typed is of a command, in one of the places from the first to the last.
function __sostenuto_at --argument-names wanted first last
    set -l command
    set -l place 1
    set -l is_value 0
    for word in (commandline -opc)[2..]
        if test $is_value = 1
            set is_value 0
        else if string match -q -- '-*' $word
            contains -- "$command $word" $__sostenuto_with_value; and set is_value 1
        else if test -z "$command"
            set command $word
        else
            set place (math $place + 1)
        end
    end
    test "$command" = "$wanted"; and test $place -ge $first -a $place -le $last
end

function __sostenuto_apps
    set -l typed (commandline -ct)
    if string match -q '*:*' -- $typed
        set -l file (string replace -r ':[^:]*$' '' -- $typed)
        set -l module $file
        string match -q '*.py' -- $file; or set file (string replace -a . / -- $file).py
        for name in (sed -nE @apps@ $file 2>/dev/null)
            echo $module:$name
        end
    else
        for name in (__fish_complete_path $typed | string replace -r '\t.*' '')
            string match -q '*/' -- $name; and echo $name
            string match -q '*.py' -- $name; and echo $name:
        end
    end
end

set -g __sostenuto_with_value @with_value@
complete -c sostenuto -e
complete -c sostenuto -f
@lines@
"""
_ACTIONS = {
    "app": ("-x", "(__sostenuto_apps)"),
    "directory": ("-x", "(__fish_complete_directories (commandline -ct))"),
    "file": ("-rF", ""),
    "text": ("-x", ""),
}
_ANY_PLACE = 99


def fish_script(program: Command, commands: Sequence[Command]) -> str:
    """Return the script.

    Args:
        program: What may be typed before a command.
        commands: The commands.
    """
    first = "__sostenuto_at '' 1 1"
    lines = [*_options(program, first)]
    for command in commands:
        lines.append(f"{_line(first)} -x -a {command.name} -d {_quote(command.help)}")
        lines += _options(command, f"__sostenuto_at {command.name} 1 {_ANY_PLACE}")
        lines += _places(command)
    with_value = " ".join(
        _quote(f"{command.name} {name}")
        for command in commands
        for option in command.options
        if option.takes
        for name in option.names
    )
    script = _SCRIPT.replace("@with_value@", with_value).replace("@lines@", "\n".join(lines))
    return script.replace("@apps@", _quote(APPS)).lstrip()


def _options(command: Command, condition: str) -> Iterator[str]:
    for option in command.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        taken = f" {_action(option.takes)}" if option.takes else ""
        yield f"{_line(condition)} {names}{taken} -d {_quote(option.help)}"


def _places(command: Command) -> Iterator[str]:
    for number, place in enumerate(command.places, 1):
        if place.kind != "text":
            last = _ANY_PLACE if place.is_repeated else number
            yield f"{_line(f'__sostenuto_at {command.name} {number} {last}')} {_action(place)}"


def _line(condition: str) -> str:
    return f"complete -c sostenuto -n {_quote(condition)}"


def _action(takes: TypedWord) -> str:
    how, what = ("-x", " ".join(takes.choices)) if takes.choices else _ACTIONS[takes.kind]
    return f"{how} -a {_quote(what)}" if what else how


def _quote(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"
