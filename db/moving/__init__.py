"""All of an installation, from one database to another, and as one file."""
