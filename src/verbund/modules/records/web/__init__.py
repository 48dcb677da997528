"""The pages of records in the staff's workspace."""
