"""PS3.4: Verification, Storage and Storage Commitment, without I/O."""
