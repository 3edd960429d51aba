"""EPUB publications: web pages in a zip file."""
