"""`python -m gateway WORD ...`: the command line, as `./certgate` starts it."""

from gateway.cli import main

if __name__ == "__main__":
    main()
