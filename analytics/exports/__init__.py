"""What people take away: the whole star as files, and the rows of a list of the admin."""
