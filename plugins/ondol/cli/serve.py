"""`ondol serve`: the API that manages what is collected, alone."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ondol.cli.output import say


def serve(
    host: Annotated[
        str | None, typer.Option(help="Where it listens: 127.0.0.1; on Cloud Run all addresses.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="PORT", help="On that host.")] = 8082,
    demo: Annotated[
        bool, typer.Option("--demo", help="Ask nobody who they are; only on the loopback address.")
    ] = False,
) -> None:
    """Serve the API of sources and items.

    ONDOL_ACCESS names the file that says whose tokens are taken and who may do what; docs/api.md shows one.
    """
    import uvicorn

    from ondol.api.access import is_loopback, load_access
    from ondol.api.app import create_app
    from ondol.api.collecting import InService
    from ondol.api.guard import anybody
    from ondol.api.tokens import Tokens
    from ondol.errors import FatalError
    from ondol.settings import settings

    host = host or ("0.0.0.0" if "K_SERVICE" in os.environ else "127.0.0.1")
    access = settings().access
    if demo and not is_loopback(host):
        raise FatalError(
            f"--demo lets everybody do everything, and {host} is not the loopback address: leave out --host"
        )
    if not demo and access is None:
        raise FatalError("ONDOL_ACCESS is not set, so nobody could call: let it name a file of issuers and roles (see "
                         "docs/api.md), or say --demo to try it on this machine")  # fmt: skip
    if demo:
        say("DEMO: whoever reaches this machine's loopback address may read and change every tenant, without a token. "
            "Never serve customers so.", style="bold red", err=True)  # fmt: skip
        authenticate = anybody
    else:
        assert access
        tokens = Tokens(load_access(access))
        authenticate = tokens.caller
    app = create_app(authenticate, InService())
    say(f"the API is at http://{host}:{port}, its description at http://{host}:{port}/docs", err=True)
    uvicorn.run(app, host=host, port=port, access_log=False, server_header=False)
