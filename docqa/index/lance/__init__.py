"""LanceDB: collections on storage that machines share."""
