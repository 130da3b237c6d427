"""Where files lie, and what is said of them, becomes classes and splits; nothing is read here."""
