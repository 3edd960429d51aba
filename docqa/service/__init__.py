"""One object for many callers: documents, collections, questions that are read together, jobs."""
