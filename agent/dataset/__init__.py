"""PS3.5 and PS3.6: Data Elements, their encodings and the dictionary."""
