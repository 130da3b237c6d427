"""What a visitor takes along, and its way back."""
