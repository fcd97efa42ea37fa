"""The settings of an organisation: who belongs to it, what programs reach it by, and how the installation is.

A page each, below `/app/settings`, for the organisation that the caller acts for.
"""
