"""The operations: one async function each, from a context and a frozen command to a frozen record.

Both faces call these and nothing below them. An operation raises `DomainError`s; it commits before it answers.
"""
