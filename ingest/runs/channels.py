"""How an alert reaches people: by mail and by webhook, where they are configured."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail

from ingest.quoting import visible
from ingest.runs.deadline import deadline

# Workflows of Teams take a card, where Slack and all others take a text: they are known by their hosts.
TEAMS_WORKFLOWS = (".logic.azure.com", ".api.powerplatform.com")


class NotDeliveredError(Exception):
    """A message that did not reach a channel; its text says where and why, and holds no secret."""


def configured() -> list[str]:
    """Return the names of the channels that have somebody at their other end."""
    ends = {"mail": settings.ALERT_MAIL_TO, "webhook": settings.ALERT_WEBHOOK_URL}
    return [channel for channel, end in ends.items() if end]


def send(channel: str, title: str, text: str) -> None:
    """Send a message by a channel, within settings.ALERT_TIMEOUT_SECONDS for all of it; see ingest.runs.deadline.

    Raises NotDeliveredError.
    """
    title, text = visible(title), visible(text)
    if channel == "webhook":
        post(settings.ALERT_WEBHOOK_URL, settings.ALERT_TIMEOUT_SECONDS, json=_payload(f"{title}. {text}"))
        return
    try:
        with deadline(settings.ALERT_TIMEOUT_SECONDS):
            send_mail(f"[msk-pipeline] {title}", text, settings.SERVER_EMAIL, settings.ALERT_MAIL_TO)
    except Exception as error:
        raise NotDeliveredError(f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}: {_cause(error)}") from None


def post(address: str, seconds: float, **content: Any) -> None:
    """Post `content`, as requests takes it, to an address that is a secret, within `seconds` for all of it.

    Raises NotDeliveredError, also for an answer that is no success.
    """
    try:
        with deadline(seconds):
            import requests  # not above: no command that sends nothing need wait for it

            # A redirect could lead the token in the address to a stranger. The answer's body is not read, though of a
            # redirect requests would read it to its end.
            with requests.post(
                address,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
                hooks={"response": lambda response, **_: response.close()},
                **content,
            ) as response:
                status = response.status_code
    except Exception as error:
        raise NotDeliveredError(f"{_host(address)}: {_cause(error)}") from None  # its text may quote the address
    if not 200 <= status < 300:
        raise NotDeliveredError(f"{_host(address)}: answered {status}")


def _host(address: str) -> str:
    # Nothing but the host is shown of an address: the rest of it may hold a token.
    try:
        return urlsplit(address).hostname or "an address without a host"
    except ValueError:
        return "an address that is none"


def _payload(text: str) -> dict[str, object]:
    if _host(settings.ALERT_WEBHOOK_URL).endswith(TEAMS_WORKFLOWS):
        card = {
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "TextBlock", "text": text, "wrap": True}],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attachment]}
    # What Slack takes for the beginning of a link or of a call to everybody.
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _cause(error: BaseException) -> str:
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    return type(error).__name__
