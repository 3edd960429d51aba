"""Evaluation: how good a reader is, alone and end to end, and how far its scores can be trusted."""
