"""What a visitor brings: pictures and archives of pictures, read as untrusted bytes."""
