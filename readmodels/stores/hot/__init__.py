"""Single orders, customers and commands in Redis or Valkey, which may evict any."""
