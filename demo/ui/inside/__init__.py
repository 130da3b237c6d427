"""The panels of tab 3: each is one thing to see, or to try, in the network that is in use."""
