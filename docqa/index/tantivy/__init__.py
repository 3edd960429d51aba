"""tantivy: collections in a folder."""
