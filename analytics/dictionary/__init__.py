"""The data dictionary: what each table and column of the warehouse and of the run log means, and where it comes from."""
