"""The only door to the C core."""
