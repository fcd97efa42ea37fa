"""How much may be asked: rate limits and the size of bodies."""
