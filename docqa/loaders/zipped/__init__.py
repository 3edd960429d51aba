"""Zip containers from strangers, and the XML in them, read inside stated limits."""
