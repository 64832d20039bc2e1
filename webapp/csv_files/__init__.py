"""CSV that a spreadsheet may open: of lists as they are filtered, and of changes."""
