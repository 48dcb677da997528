"""Pages of identity: sign-in, the citizen's account, one's own access, and the administration of people and units."""
