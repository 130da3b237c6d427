"""What one address, and all together, may hold of the server: connections, streams, requests, uploads, bytes."""
