"""The REST face: the documented Closient Certifications API, path by path, on the same operations as GraphQL.

It translates and nothing else: `routes` says which endpoint is where, `asking` turns requests into commands,
`outputs` says what is shown of records, `problem` turns refusals into problem documents.
"""
