"""Requests as shell lines."""

import shlex
from collections.abc import Mapping

KEY, URL = "$REVDESK_API_KEY", "$REVDESK_API_URL"  # variables: a line shows no key, and may not know yet where it goes


def curl_line(method: str, base_url: str, target: str, headers: Mapping[str, str], body: str) -> str:
    """Write a request as a curl line; a header that ends with `KEY`, and the base `URL`, come from the environment."""
    parts = ["curl", "-i", "-X", method]
    for name, value in headers.items():
        header = f"{name}: {value}"
        parts += ["-H", f'"{header}"' if value.endswith(KEY) else shlex.quote(header)]
    if body:
        parts += ["--data-binary", shlex.quote(body)]
    url = f'"{URL}"{shlex.quote(target)}' if base_url == URL else shlex.quote(f"{base_url}{target}")
    return " ".join([*parts, url])
