"""Rooms: who is in them, what they say to one another, and how clients come in."""
