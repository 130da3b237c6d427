"""What all tabs are made of."""
