"""What tests of your own need: scripted model, worker, replayer and server.

Importing this loads the Temporal SDK and the worker, so a program that only starts runs should not.
"""

from __future__ import annotations

from .activities.adapters.providers.scripted import ScriptedAdapter
from .connection.converter import data_converter
from .contracts.names import SEARCH_ATTRIBUTES
from .workers.stack.temporal_server import find_program
from .workers.worker import build_worker, replayer

__all__ = ["SEARCH_ATTRIBUTES", "ScriptedAdapter", "build_worker", "data_converter", "find_program", "replayer"]
