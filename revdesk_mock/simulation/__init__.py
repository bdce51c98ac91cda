"""Awkwardness on purpose: each file is one concern of the real service that gets in a client's way."""
