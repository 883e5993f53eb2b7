"""What people look at: a file a page, with its query of the same name beside it.

page.py      what every page has: who may see it, its table as CSV, how it refuses what it does not understand
answers.py   the rows of a query, kept until a load ends or the day does
site.py      which pages there are and who may see them: the navigation
"""
