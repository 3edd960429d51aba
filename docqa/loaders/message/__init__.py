"""E-mail messages and web archives: MIME parts, each read as what it is."""
