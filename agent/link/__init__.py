"""Sockets, TLS (PS3.15) and clocks."""
