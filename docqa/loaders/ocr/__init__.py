"""Read the words of images."""
