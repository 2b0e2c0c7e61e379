"""What a converge decides: from what differs on both sides to what rows and files will be."""
