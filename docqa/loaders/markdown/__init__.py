"""Markdown: its text as a page shows it, and the way back to the file."""
