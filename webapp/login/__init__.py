"""The login of the pages: sessions, what they keep, and who may see which page."""
