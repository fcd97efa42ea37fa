"""What comes in as a file: found out what it is, and read row by row, so that its length costs no memory.

`opening` is the door.
"""
