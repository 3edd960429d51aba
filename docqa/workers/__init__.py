"""Pools for work on many items: this process, several, or the machines of a Ray cluster.

All of them give the same results; a caller chooses a `docqa.workers.pool.Pool`.
"""
