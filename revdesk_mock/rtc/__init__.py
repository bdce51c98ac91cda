"""Rooms: who is in them, what they say to one another over WebRTC, and how clients come in."""
