"""Training: fine-tune a reader on questions with gold answers."""
