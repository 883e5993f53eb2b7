"""The data dictionary: what each table and column means, and where it comes from."""
