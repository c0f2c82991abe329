"""Finds the app that `module:app` names. Runs the module's own code, and no other."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ...activities.call.own_code import own_place
from ...contracts.errors import SetupError, SostenutoError, SpecError
from ...contracts.specs.app import App
from .interrupts import ending_anywhere


def load_app(place: str) -> App:
    """Return the app at `module:app` or `path/to/file.py:app`.

    Raises:
        SpecError: The place is no such name, its module cannot be imported, or there is no app of that name in it.
    """
    module_name, _, attribute = place.rpartition(":")
    if not module_name or not attribute:
        raise SpecError(f"{place!r} names no app: write MODULE:APP, such as shop.agents:app or examples/hello.py:app")
    with ending_anywhere():
        module = _module(module_name)
    if not hasattr(module, attribute):
        apps = [name for name, value in vars(module).items() if isinstance(value, App)]
        hint = f"its apps are: {', '.join(apps)}" if apps else "it has no App at all: write app = App(your_agent)"
        raise SpecError(f"{module_name} has no {attribute!r}; {hint}")
    app = getattr(module, attribute)
    if not isinstance(app, App):
        raise SpecError(f"{place} is not an App but of type {type(app).__name__}: write {attribute} = App(your_agent)")
    if not (app.runnables or app.tools or app.collections or app.workflows or app.validators or app.mcp):
        raise SpecError(f"{place} has nothing to serve: write {attribute} = App(your_agent)")
    return app


def file_of(place: str) -> Path | None:
    """Return the file that a place names; None where it names a module."""
    name = place.rpartition(":")[0]
    return Path(name).absolute() if name.endswith(".py") else None


def _module(name: str) -> ModuleType:
    try:
        return _from_file(Path(name)) if name.endswith(".py") else _from_path(name)
    except SostenutoError as error:
        kind = SetupError if isinstance(error, SetupError) else SpecError
        raise kind(f"{error}{own_place(error)}") from error
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise SpecError(f"there is no module {error.name!r} here or among the installed ones") from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:  # whatever somebody else's module does while it is imported
        raise _broken(name, error) from error


def _from_path(name: str) -> ModuleType:
    if "/" in name or name.startswith("."):
        hint = f"did you mean {name}.py?" if Path(f"{name}.py").is_file() else "write shop.agents or shop/agents.py"
        raise SpecError(f"{name!r} is neither a module nor a Python file: {hint}")
    # The script `sostenuto` is started from elsewhere, so the working directory is not on the path by itself.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)


def _from_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise SpecError(f"there is no file {str(file)!r}")
    # As Python does for a script: the modules beside it can be imported.
    sys.path.insert(0, str(file.parent.resolve()))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise SpecError(f"{str(file)!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _broken(name: str, error: BaseException) -> SpecError:
    return SpecError(f"{name} cannot be imported: {type(error).__name__}: {error}{own_place(error)}")
