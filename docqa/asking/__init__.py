"""Asking: load, split, search, read, merge and locate; one path for everything that asks."""
