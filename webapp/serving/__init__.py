"""How requests come in: processes by gunicorn, connections by waitress."""
