"""The durable queue on local media."""
