"""Export streams from one log and import them into another, as a developer's."""
