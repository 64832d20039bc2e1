"""Why a row is as it is, and whether it is what its events make: nothing is stored."""
