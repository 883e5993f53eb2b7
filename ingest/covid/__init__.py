"""The national COVID figures: the API's documents, and what is in them."""
