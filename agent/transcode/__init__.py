"""One instance in another transfer syntax: frame by frame, with proof that no sample changed (PS3.5 8.2, A.4)."""
