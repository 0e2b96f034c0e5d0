"""PS3.3 and PS3.16: Module tables and the builders of instances."""
