"""Web pages: source to visible text, and every character back to its place."""
