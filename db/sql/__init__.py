"""What a statement is made of: tables and types, reads and writes, filters, and their compilation for a bare driver."""
