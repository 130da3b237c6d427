"""Every sentence that a visitor reads, in each language."""
