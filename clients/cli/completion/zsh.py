"""Writes the completions for zsh."""

from __future__ import annotations

import re
from collections.abc import Sequence
from shlex import quote

from .grammar import APPS, Command, CommandOption, TypedWord

_SCRIPT = r"""
#compdef sostenuto
# Completions of sostenuto for zsh. In ~/.zshrc, after compinit:  eval "$(sostenuto completion zsh)"

_sostenuto_apps() {
    if [[ $PREFIX == *:* ]]; then
        local file=${PREFIX%:*}
        [[ $file == *.py ]] || file=${file//.//}.py
        local -a apps
        apps=(${(f)"$(sed -nE @apps@ ${~file} 2>/dev/null)"})
        compset -P '*:'
        compadd -a apps
    else
        _alternative "files:app file:_path_files -g '*.py(-.)' -S ':'" 'directories:directory:_path_files -/'
    fi
}

_sostenuto() {
    local context state state_descr line
    typeset -A opt_args
    local -a commands
    commands=(
@commands@
    )
    _arguments -C \
@program@
        '1: :->command' '*:: :->words'
    case $state in
        command) _describe -t commands command commands ;;
        words)
            case $line[1] in
@cases@
            esac ;;
    esac
}

if [[ $funcstack[1] == _sostenuto ]]; then
    _sostenuto "$@"
else
    compdef _sostenuto sostenuto
fi
"""
_ACTIONS = {"app": "_sostenuto_apps", "directory": "_files -/", "file": "_files", "text": ""}


def zsh_script(program: Command, commands: Sequence[Command]) -> str:
    """Return the script.

    Args:
        program: What may be typed before a command.
        commands: The commands.
    """
    described = [f"        {quote(f'{command.name}:{command.help}')}" for command in commands]
    before = [f"        {_option(option)} \\" for option in program.options]
    script = _SCRIPT.replace("@commands@", "\n".join(described)).replace("@program@", "\n".join(before))
    script = script.replace("@cases@", "\n".join(map(_case, commands)))
    return script.replace("@apps@", quote(APPS)).lstrip()


def _case(command: Command) -> str:
    specs = [_option(option) for option in command.options]
    specs += [_place(number, place) for number, place in enumerate(command.places, 1)]
    lines = " \\\n".join(f"                    {spec}" for spec in specs)
    return f"                {command.name}) _arguments \\\n{lines} ;;"


def _option(option: CommandOption) -> str:
    told = re.sub(r"([\[\]\\])", r"\\\1", option.help)
    repeated = option.takes is not None and option.takes.is_repeated
    # Those that mean the same are one: either may be typed, and not both.
    # The value of a long one may follow after = as well.
    each = [f"{name}=" if option.takes and name.startswith("--") else name for name in option.names]
    names = "{" + ",".join(each) + "}" if len(each) > 1 else each[0]
    but = "*" if repeated else f"({' '.join(option.names)})" if len(option.names) > 1 else ""
    rest = f"[{told}]" + (f":{_label(option.takes)}:{_action(option.takes)}" if option.takes else "")
    return f"{quote(but) if but else ''}{names}{quote(rest)}"


def _place(number: int, takes: TypedWord) -> str:
    return quote(f"{'*' if takes.is_repeated else number}:{_label(takes)}:{_action(takes)}")


def _label(takes: TypedWord) -> str:
    return takes.label.replace(":", r"\:")


def _action(takes: TypedWord) -> str:
    return f"({' '.join(takes.choices)})" if takes.choices else _ACTIONS[takes.kind]
