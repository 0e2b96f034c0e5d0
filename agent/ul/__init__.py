"""PS3.8: PDUs, the state table and the sans-IO association."""
