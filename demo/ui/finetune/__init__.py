"""Tab 2: a head of one's own."""
