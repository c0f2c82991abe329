"""`python -m sostenuto`: the same command line without the script on the path."""

from .clients.cli import main

if __name__ == "__main__":
    main()
