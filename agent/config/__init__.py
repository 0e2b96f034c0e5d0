"""One schema table, and what is read through it."""
