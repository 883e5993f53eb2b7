"""Files that are asked for."""

from django.test import Client


def status_of(client: Client, address: str) -> int:
    """Return how a file is answered, and end it: the site makes few at a time, read or not."""
    answer = client.get(address)
    answer.close()
    return answer.status_code
