"""The guided lesson: twelve steps, and what each measures."""
