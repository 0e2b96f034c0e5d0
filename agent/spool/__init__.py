"""The durable queue on local media: nothing is promised before it is durable, nothing is lost after.

``store.Spool`` is the door; ``view.SpoolView`` is the window for other processes. The order of reading: states.py (what
can happen), durable.py (how bytes and names become durable), store.py (seal), recovery.py (what a crash leaves).
"""
