"""The REST face: the documented Closient Certifications API, path by path, on the same operations as GraphQL.

It translates and nothing else: `routes` says which endpoint is where, `wire` turns JSON into commands and records into
JSON, `problem` turns refusals into problem documents.
"""
