"""Lets Ctrl-C end the command line without a traceback while it loads its modules.

What a script of its name imports first, which takes half a second. `clients.cli.main` takes over from there.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

if Path(sys.argv[0]).stem == "sostenuto" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
