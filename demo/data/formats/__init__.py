"""What files are pictures made of: rare formats are decoded apart, and all tones become eight bits."""
