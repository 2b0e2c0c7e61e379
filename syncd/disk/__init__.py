"""What lies on disk: reading it whole, and writing so that no save of anybody is lost."""
