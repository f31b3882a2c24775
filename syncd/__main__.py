"""`python -m syncd`."""

import sys

# `-m` puts the current directory first: whatever lies there is not ours to run.
if not sys.flags.safe_path:
    del sys.path[0]

from syncd.cli.main import entry_point

entry_point()
