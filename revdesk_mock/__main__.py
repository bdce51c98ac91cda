"""`python -m revdesk_mock` is the command line."""

from revdesk_mock.cli import main

main()
