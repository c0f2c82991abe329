"""Writes the completions for bash, from 3.2 on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from .grammar import APPS, Command, TypedWord

_SCRIPT = r"""
# Completions of sostenuto for bash. In ~/.bashrc:  eval "$(sostenuto completion bash)"

# Says what is typed after an option, or in a place: `run --id`, `run 1`. Fails where that is nothing.
_sostenuto_takes() {
    kind=text choices=
    case $1 in
@takes@
        *) return 1 ;;
    esac
}

_sostenuto_options() {
    case $1 in
@options@
    esac
}

_sostenuto_apps() {
    local file=${1%:*} name
    [[ $file == *.py ]] || file=${file//.//}.py
    if [[ $1 == *:* ]]; then
        while read -r name; do
            [[ $name == "${1##*:}"* ]] && COMPREPLY+=("$name")
        done < <(sed -nE @apps@ "$file" 2>/dev/null)
        return
    fi
    while IFS= read -r name; do
        [[ -d $name ]] && COMPREPLY+=("$(printf %q "$name")/")
        [[ -f $name && $name == *.py ]] && COMPREPLY+=("$(printf %q "$name"):")
    done < <(compgen -f -- "$1")
    compopt -o nospace 2>/dev/null
}

_sostenuto_files() {
    local name
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(compgen "$1" -- "$2")
    compopt -o filenames 2>/dev/null
}

_sostenuto() {
    local words=() word glue= command= after= place=1 i kind choices current=
    COMPREPLY=()
    # Bash splits at : and = as well.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = && $current == --* ]]; then
            ((i == COMP_CWORD)) && words+=("")
        elif [[ -n $glue || ($word == [:=] && -n $current) ]]; then
            words[${#words[@]}-1]+=$word
            glue=; [[ $word == [:=] ]] && glue=1
        else
            words+=("$word")
        fi
        current=${words[${#words[@]}-1]}
    done
    for ((i = 0; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ -n $after ]]; then
            after=
        elif [[ $word == -?* ]]; then
            _sostenuto_takes "$command $word" && after=$word
        elif [[ -z $command ]]; then
            command=$word
        else
            ((place++))
        fi
    done
    if [[ -z $after && $current == -* ]]; then
        kind=choice choices=$(_sostenuto_options "$command")
    else
        _sostenuto_takes "$command ${after:-$place}" || return 0
    fi
    # As files are called, without the backslashes of what was typed.
    IFS= read word <<< "$current"
    case $kind in
        choice) COMPREPLY=($(compgen -W "$choices" -- "$current")) ;;
        file) _sostenuto_files -f "$word" ;;
        directory) _sostenuto_files -d "$word" ;;
        app) _sostenuto_apps "$word" ;;
    esac
}

complete -F _sostenuto sostenuto
"""


def bash_script(program: Command, commands: Sequence[Command]) -> str:
    """Return the script.

    Args:
        program: What may be typed before a command.
        commands: The commands.
    """
    takes = [f"        ' 1') kind=choice choices={quote(' '.join(command.name for command in commands))} ;;"]
    takes += [line for command in commands for line in _takes(command)]
    options = [_options("''", program), *(_options(quote(command.name), command) for command in commands)]
    script = _SCRIPT.replace("@takes@", "\n".join(takes)).replace("@options@", "\n".join(options))
    return script.replace("@apps@", quote(APPS)).lstrip()


def _options(name: str, command: Command) -> str:
    words = [option.names[-1] for option in command.options]
    return f"        {name}) echo {quote(' '.join(words))} ;;"


def _takes(command: Command) -> Iterator[str]:
    for option in command.options:
        if option.takes:
            yield _case([quote(f"{command.name} {name}") for name in option.names], option.takes)
    for number, place in enumerate(command.places, 1):
        # Of a command nobody types more than nine places that are completed.
        which = f"[{number}-9]*" if place.is_repeated else str(number)
        yield _case([f"{quote(f'{command.name} ')}{which}"], place)


def _case(patterns: Sequence[str], takes: TypedWord) -> str:
    choices = f" choices={quote(' '.join(takes.choices))}" if takes.choices else ""
    return f"        {' | '.join(patterns)}) kind={takes.kind}{choices} ;;"
