"""Pages of the budget room in the staff workspace, under /arbeit/haushalt/."""
