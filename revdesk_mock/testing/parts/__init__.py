"""What a test holds of its world, a part a file."""
