"""Another machine that computes for the page: what travels between the two, and the client that asks it."""
