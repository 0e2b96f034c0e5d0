"""Source to spool: frames become durable instances."""
