"""Many questions over many documents, as a job that goes on where it stopped."""
