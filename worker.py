"""python worker.py: the same worker as `letterbook worker`."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "worker")
    main()
