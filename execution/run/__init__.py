"""Running a compiled operation: level by level, with all that can be wrong with a value, until it is to be stopped."""
