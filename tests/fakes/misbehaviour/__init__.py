"""A library of misbehaving peers: rows of data by phase, the process under test, and the bench that plays them."""
