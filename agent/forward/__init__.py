"""Spool to destination: decisions and workers."""
