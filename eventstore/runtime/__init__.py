"""A program that keeps running: it reads the log, runs commands, and stops in order."""
