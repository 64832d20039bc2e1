"""`./recount tour`: ten ideas, each live in a shop that is gone afterwards."""
