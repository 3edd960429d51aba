"""Show the place of an answer: marked copies of the file and images of its pages."""
