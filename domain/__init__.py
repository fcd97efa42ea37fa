"""The rules of certifications and claims, pure: no I/O, no clock, no web framework and no SQL.

Commands (`commands`) are what a caller asks for, records (`records`) are what is stored, errors (`errors`) are why
something was refused. Everything else is one rule per module, named after what it rules on.
"""
