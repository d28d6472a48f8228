"""How requests come in from the server."""
