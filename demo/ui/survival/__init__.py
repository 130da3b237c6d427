"""What outlives a lost connection, a page's state and the server: the session by its token, the head in the browser."""
