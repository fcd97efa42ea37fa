"""Storage: the only SQL and the only rows. Everything that leaves here is a record of `domain.records`.

`tables` describes the schema for SQLite and PostgreSQL at once, `opening` opens either, and the modules named after
topics hold the statements.
"""
