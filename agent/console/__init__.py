"""The serial console (issue F)."""
