"""The life of a server: what its place has to offer before the start, what is kept up meanwhile, and its end."""
