"""`python -m sostenuto`: the same command line without the script on the path."""

import sys

from .clients.cli import main

if __name__ == "__main__":
    sys.exit(main())
