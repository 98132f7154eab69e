"""``python -m ktc``: the command line."""

import sys

from ktc._commands.command_line import main

sys.exit(main())
