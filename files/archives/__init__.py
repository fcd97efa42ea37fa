"""All that an organisation has as one ZIP, and back: what it holds and claims, its products, its own definitions."""
