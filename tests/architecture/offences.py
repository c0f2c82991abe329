"""Finds in source what makes code decide otherwise in a replay, beyond the modules that the import linter forbids."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_BUILTINS = {"open", "input", "print", "id", "hash", "exec", "eval", "__import__", "globals"}
_CLOCK_AND_THREADS = {
    *("now", "utcnow", "today", "astimezone", "fromtimestamp", "to_thread", "run_in_executor", "open_connection"),
    *("start_server", "create_subprocess_exec", "create_subprocess_shell", "uuid1", "uuid4", "getLogger"),
}
# They take tasks as a set, whose order is that of addresses. `workflow.wait` and `workflow.as_completed` keep it.
_UNORDERED_WAITS = {"wait", "as_completed"}
_SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
_SET_TYPES = {"set", "frozenset", "Set", "AbstractSet", "MutableSet"}
_TAKES_ORDER = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed", "join", "fromkeys", "extend"}
_EMPTY_CONTAINERS = {"list", "dict", "set", "Counter", "defaultdict", "deque", "OrderedDict", "count", "cycle"}
_LOCKS = {"Lock", "RLock", "Semaphore", "Event", "Condition", "local", "ContextVar"}
_MUTATES = {
    *("append", "add", "update", "pop", "popitem", "setdefault", "extend", "insert", "clear", "remove", "discard"),
    *("appendleft", "popleft", "sort", "reverse"),
}
_CACHES = {"cache", "lru_cache"}


def offences(source: str) -> list[str]:
    """What the source does that a replay could do otherwise, each with its line."""
    tree = ast.parse(source)
    found = [*_calls(tree), *_iterated_sets(tree), *_module_state(tree)]
    return [f"{line}: {what}" for line, what in sorted(set(found))]


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _BUILTINS and isinstance(node.func, ast.Name):
            yield node.lineno, f"calls {_name(node.func)}"
        elif isinstance(node, ast.Attribute) and node.attr in _CLOCK_AND_THREADS and _name(node.value) != "workflow":
            # Also where it is handed on uncalled, as a default factory is.
            yield node.lineno, f"names {node.attr}"
        elif isinstance(node, ast.Attribute) and node.attr in _UNORDERED_WAITS and _name(node.value) == "asyncio":
            yield node.lineno, f"waits by asyncio.{node.attr}, in no fixed order"


def _iterated_sets(tree: ast.Module) -> Iterator[tuple[int, str]]:
    names = _set_names(tree)
    for node in ast.walk(tree):
        taken: list[ast.expr] = []
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            taken = [node.iter]
        elif isinstance(node, ast.Starred | ast.YieldFrom):
            taken = [node.value]
        elif isinstance(node, ast.Call) and _name(node.func) in _TAKES_ORDER:
            taken = list(node.args)
        elif isinstance(node, ast.Call) and _name(node.func) == "pop" and isinstance(node.func, ast.Attribute):
            taken = [] if node.args else [node.func.value]
        for one in taken:
            if _is_set(one, names):
                yield one.lineno, "goes through a set, in no fixed order"


def _set_names(tree: ast.Module) -> set[str]:
    """Variables, parameters and attributes of the file that hold sets somewhere."""
    names: set[str] = set()
    known = -1
    while len(names) != known:  # what is assigned from one of them is another
        known = len(names)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _is_set(node.value, names):
                names.update(_name(target) for target in node.targets)
            elif isinstance(node, ast.AnnAssign) and (
                _is_set_type(node.annotation) or (node.value is not None and _is_set(node.value, names))
            ):
                names.add(_name(node.target))
            elif isinstance(node, ast.arg) and node.annotation is not None and _is_set_type(node.annotation):
                names.add(node.arg)
    return names - {""}


def _is_set(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=func):
            owner = getattr(func, "value", None)
            of_set = owner is not None and _is_set(owner, names)
            return _name(func) in {"set", "frozenset"} or (_name(func) in {*_SET_METHODS, "copy"} and of_set)
        case ast.BinOp(left=left, op=ast.Sub() | ast.BitOr() | ast.BitAnd() | ast.BitXor(), right=right):
            return any(_is_set(side, names) or _is_keys(side) for side in (left, right))
        case ast.IfExp(body=body, orelse=orelse):
            return _is_set(body, names) or _is_set(orelse, names)
        case ast.Name() | ast.Attribute():
            return _name(node) in names
        case _:
            return False


def _is_keys(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in {"keys", "items"}


def _is_set_type(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return _name(annotation.value if isinstance(annotation, ast.Subscript) else annotation) in _SET_TYPES


def _module_state(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What lives as long as the worker, and so knows more or less than a worker that replays."""
    held: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            held.update(_name(target) for target in targets)
            if _is_state(node.value):
                yield node.lineno, "keeps mutable state in the module"
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):
            yield inner.lineno, f"changes the module's {', '.join(inner.names)}"
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in inner.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if _name(called) in _CACHES:
                    yield inner.lineno, f"remembers {inner.name} for the whole process"
            yield from _mutations(inner, held)


def _mutations(function: ast.AST, held: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(function):
        if not isinstance(node, ast.expr):
            continue
        owner: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATES:
            owner = node.func.value
        elif isinstance(node, ast.Call) and _name(node.func) == "next" and node.args:
            owner = node.args[0]
        if isinstance(owner, ast.Name) and owner.id in held:
            yield node.lineno, f"changes the module's {owner.id}"


def _is_state(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    return isinstance(value, ast.Call) and (
        _name(value.func) in _LOCKS or (_name(value.func) in _EMPTY_CONTAINERS and _holds_nothing_fixed(value))
    )


def _holds_nothing_fixed(call: ast.Call) -> bool:
    return not call.args or _name(call.func) in {"count", "cycle", "defaultdict"}


def _name(node: ast.AST | None) -> str:
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))
