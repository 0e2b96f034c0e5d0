"""The only door to the C core: sources of frames, compression, pictures.

Import from the modules (`agent.native.source`, `agent.native.compress`, `agent.native.picture`), so that a process
that only sends never loads them. Nothing here imports numpy; every C-contiguous buffer will do.
"""
