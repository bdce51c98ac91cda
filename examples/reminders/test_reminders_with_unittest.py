"""The same with unittest: `python -m unittest discover examples/reminders -p '*unittest.py'`."""

import os
import unittest
from typing import ClassVar
from unittest import mock

from reminders import remind

import revdesk_mock
from revdesk_mock.testing.remote import RevDeskServer

SCRIPT = "Your appointment is tomorrow at ten."


class RemindersTest(unittest.TestCase):
    """One server for all tests of the class, and a world of its own for each."""

    server: ClassVar[RevDeskServer]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a server."""
        cls.server = cls.enterClassContext(revdesk_mock.serve())

    def setUp(self) -> None:
        """Open a world, and lead the program there."""
        self.revdesk = self.enterContext(self.server.world())
        self.enterContext(
            mock.patch.dict(os.environ, REVDESK_API_URL=self.revdesk.url, REVDESK_API_KEY=self.revdesk.key)
        )

    def test_a_lost_reply_does_not_dial_twice(self) -> None:
        """The flagship."""
        self.revdesk.faults.add("POST /v1/calls", phase="after_commit", do="reset")
        before = len(self.revdesk.calls.list())
        remind("+13125550101", SCRIPT)
        assert len(self.revdesk.calls.list()) == before + 1
        self.revdesk.audit.clean()
