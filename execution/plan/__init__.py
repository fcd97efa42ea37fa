"""From a validated operation to what is run: its plan, its arguments and variables, the generated Python."""
