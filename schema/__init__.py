"""What a record is and where it rests. Importing this package loads nothing; import its modules."""
