"""Notebooks as people hand them in."""
