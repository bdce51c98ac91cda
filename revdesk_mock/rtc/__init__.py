"""Rooms: audio and data between people and agents over WebRTC."""
