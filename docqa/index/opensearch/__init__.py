"""The parts of `docqa.index.opensearch_store`, which says how they go together."""
