"""``python -m ktc``: the command line."""

import sys

from ktc.cli import main

sys.exit(main())
