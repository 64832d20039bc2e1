"""The web server: processes of gunicorn, connections of waitress."""
