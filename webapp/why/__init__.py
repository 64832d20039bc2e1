"""Why a value of a row is so: for the pages and for the API."""
