"""LiveKit's protocol over the rooms, for its unmodified clients. This folder alone knows its messages."""
