"""The commands beside `serve`, and what commands share."""
