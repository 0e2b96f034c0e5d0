"""The configuration of a small box whose verbs of media are tried from the command line."""

from __future__ import annotations

CONFIG = """
[agent]
ae_title = "MODALITY"
institution_name = "Bench Clinic"
[spool]
path = "spool"
[[destination]]
name = "pacs"
called_ae = "ARCHIVE"
host = "127.0.0.1"
port = 11112
"""
