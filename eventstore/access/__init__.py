"""The senders of commands: users with roles and tokens."""
