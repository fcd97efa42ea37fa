"""Webhooks: changes leave for receivers outside."""
