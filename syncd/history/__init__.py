"""Looking into the past of a bank, and bringing parts of it back."""
