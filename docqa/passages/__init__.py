"""Passages: documents cut at sentence ends, sized in the reader's tokens."""
