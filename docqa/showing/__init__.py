"""Views of the place of answers: marked copies, page images, reports."""
