"""Index: passages ranked for a query."""
