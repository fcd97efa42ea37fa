"""From the text of a request to a document that may be run: reading, limits, validation, cost, the cache."""
