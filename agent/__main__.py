"""``python -m agent``: the same as the command ``modality-agent``."""

import sys

from agent.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
