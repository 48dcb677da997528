"""Pages of membership: the alliance console's list of members."""
