"""Every operation asks for a key.

What each asks of a key's scopes is in tests/simulation/test_credentials.py, and of ids in tests/test_resources.py.
"""

from tests.contract.asks import every_operation, place


@every_operation
def test_without_a_key_an_operation_is_refused_with_a_challenge(name: str) -> None:
    ask = place(name)
    client = ask.client()
    before = client.world.dump()
    answer = ask.send(client, authorization=None)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="revdesk", resource_metadata="http://')
    assert client.world.dump() == before
