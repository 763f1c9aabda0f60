"""A browser-based image studio."""
