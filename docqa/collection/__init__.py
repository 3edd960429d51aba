"""Collection: many documents in one stored index, kept in step with their sources."""
