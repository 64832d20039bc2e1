"""The history of an order or a customer: who did what and when, filtered."""
