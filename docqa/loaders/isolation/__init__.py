"""Load in a worker process under limits, so that a hostile file hurts no other."""
