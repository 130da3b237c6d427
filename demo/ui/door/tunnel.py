"""The share link: gradio's relay leads its visitors here, and the page is served from here alone."""

import secrets

from demo.ui.door.errors import NoShareLink
from demo.ui.server.internals import setup_tunnel


def open_share_link(port: int) -> str:
    """Return the address of a new share link to a port of this machine; it ends with the process.

    gradio's own share pages load scripts from a host of its own; by a tunnel alone nothing of the page does.

    Raises:
        NoShareLink: If the relay cannot be reached, or its program cannot be had.
    """
    try:
        address = setup_tunnel(
            local_host="127.0.0.1",
            local_port=port,
            share_token=secrets.token_urlsafe(32),
            share_server_address=None,
            share_server_tls_certificate=None,
        )
    except Exception as error:  # gradio raises whatever its parts do
        raise NoShareLink(reason=(str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")) from error
    return f"https://{address.partition('://')[2].rstrip('/')}"
