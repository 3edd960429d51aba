"""Documents made of XML files in a zip container: Word, PowerPoint, EPUB."""
