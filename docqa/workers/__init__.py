"""Where work is done: in this process, in several, or on the machines of a Ray cluster.

All do the same and give the same, in the same order; a caller chooses by `docqa.workers.pool.Pool`.
"""
