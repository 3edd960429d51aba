"""The parts of `docqa.index.opensearch.store`, which says how they go together."""
