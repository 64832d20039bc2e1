"""Copy-and-transform: another log in the place of the log, with the old one kept."""
