"""PDFs: pages to text, and every character back to its rectangle."""
