"""Highlighting: an original's bytes and marks to a marked copy or a picture of a page."""
