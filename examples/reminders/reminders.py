"""A program that tests are about: it calls people by an AI agent to remind them of something, and never twice."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

ATTEMPTS = 4
PATIENCE = 0.1  # seconds before the second attempt; each further one waits twice as long
TIMEOUT = 5  # seconds for an answer


class NotPlaced(Exception):
    """The call could not be placed; the message says why."""


def remind(number: str, script: str) -> str:
    """Call somebody with a reminder and return the call's id; raises NotPlaced.

    All attempts carry the same idempotency key: whichever of them arrives, the phone rings once.
    """
    key = str(uuid.uuid4())
    for attempt in range(ATTEMPTS):
        try:
            answer = _post("/v1/calls", {"phoneNumber": number, "script": script}, key)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise NotPlaced(json.load(error)["error"]["message"]) from error
            pause = float(error.headers.get("Retry-After", 0))
        except (OSError, ValueError):
            pause = 0.0  # no answer, or none that can be read: the call may have been placed
        else:
            return str(answer["data"]["call_id"])
        time.sleep(max(pause, PATIENCE * 2**attempt))
    raise NotPlaced(f"{number}: no answer in {ATTEMPTS} attempts")


def _post(path: str, body: Any, key: str) -> Any:
    request = urllib.request.Request(
        os.environ["REVDESK_API_URL"] + path,
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['REVDESK_API_KEY']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.load(answer)
