"""Who asks: keys, sessions and bearer tokens."""
