"""Storage: the only SQL and the only rows. Everything that leaves here is a record of `domain.records`.

`sql` holds what statements are made of, for SQLite and PostgreSQL at once, `engine` how they get to either; the modules
named after topics hold the statements.
"""
