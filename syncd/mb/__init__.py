"""`mb`: the bank's work recorded through the database, for people, scripts and assistants."""
