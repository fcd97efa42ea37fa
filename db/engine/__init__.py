"""How a statement gets to a database: opening it, SQLite and its one writer, PostgreSQL and its lent connections.

`database` is the one interface to both, `opening` opens either.
"""
