"""The command line, the wiring and what people see."""
