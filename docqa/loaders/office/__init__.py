"""Office Open XML documents: Word and PowerPoint."""
