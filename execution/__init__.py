"""How a GraphQL document is run: limits, the document cache, execution and batched relations.

Nothing here knows what the schema is about; it works with any Strawberry schema.
"""
