"""Where rooms are reached: the address that clients are told to join at."""


def of(base_url: str, scheme: str) -> str:
    """Return the room URL beside a base URL: `ws://host` or `http://host`, secure where the base is."""
    protocol, _, host = base_url.partition("://")
    return f"{scheme}{'s' if protocol == 'https' else ''}://{host}"
