"""`python -m gateway WORD ...`: the command line, as `./certgate` starts it."""

import os
import sys

from gateway.cli import main

if __name__ == "__main__":
    if "import" in sys.argv[1:2]:
        # Whoever asks a server meanwhile comes first.
        os.nice(5)
    main()
