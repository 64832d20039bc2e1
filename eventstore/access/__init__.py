"""Who sends commands: users with roles, and the tokens that speak for them."""
