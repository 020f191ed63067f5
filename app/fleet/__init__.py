"""Models in other processes, on this machine and on others: a `Backend` whose workers are actors of Ray.

Begin at `backend.py`. `cluster.py` alone imports `ray`, and nothing here is imported by a server without workers.
"""
