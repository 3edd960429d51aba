"""Reader: a question and passages to answer spans."""
