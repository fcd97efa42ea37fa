"""The composition root: settings, the command line, the server and the edge around both faces.

It may import everything and is imported by nobody but tests and measurements.
"""
