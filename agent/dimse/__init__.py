"""PS3.7: Command Sets, messages, fragments and statuses."""
