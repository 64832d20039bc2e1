"""The demo's history: months of an invented shop, planned as facts to import."""
