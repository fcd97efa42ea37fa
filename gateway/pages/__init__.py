"""Pages and documents that anybody may read."""
