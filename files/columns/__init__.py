"""What the columns of a file say: which member each is, and how its cells are read."""
