"""PS3.11, PS3.12: instances out of the spool onto media that people carry, and from such media back into it."""
