"""What a command would cause, asked before it is sent: for pages and for the API."""
