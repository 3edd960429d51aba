"""E-mail messages and web archives: texts and pages in MIME parts."""
