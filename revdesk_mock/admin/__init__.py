"""The admin API under /_revdesk: what tests, scripts and people do to the emulator itself."""
