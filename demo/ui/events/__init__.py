"""What events of the page say, and what becomes of those that say something impossible."""
