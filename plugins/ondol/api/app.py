"""The application: sources and items of the tenants, read and changed over HTTP.

`ondol serve` runs it alone; plugins/ondol_plugin.py hands it to Airflow's API server, under /ondol.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from ondol.api import syncing, tenants, trials
from ondol.api.collecting import Collector
from ondol.api.docs import add_docs
from ondol.api.entries import Entries
from ondol.api.guard import Authenticate, Guard, anybody
from ondol.api.openapi import Described
from ondol.api.problems import HANDLED, answer

ABOUT = """\
Sources and items of the tenants. A change goes into the tenant's YAML, which stays the one source of truth: comments
and order stay, the whole file is checked first, and `changes` tells who did it. Every error is problem+json (RFC 9457).

- **Change**: GET, then PUT or PATCH with the ETag as `If-Match`.
- **Repeat**: with an `Idempotency-Key`, any request that changes something may be sent again.
- **Lists** come in parts: `cursor` takes the `next` of the part before.
"""
DEMO = "\n**This is the demo: nobody is asked who they are, and everybody may do everything.**\n"


def create_app(authenticate: Authenticate, collector: Collector) -> FastAPI:
    """The ASGI application.

    Args:
        authenticate: finds who a request is from.
        collector: runs what is to be collected now.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with collector.running():
            yield

    app = Described(
        title="Ondol",
        version=version("ondol"),
        openapi_tags=[{"name": name} for name in ("tenants", "sources", "items", "collections", "sync", "service")],
        description=ABOUT + (DEMO if authenticate is anybody else ""),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.collector = collector
    app.add_middleware(Guard, authenticate=authenticate)
    app.include_router(tenants.router)
    app.include_router(syncing.router)
    app.include_router(Entries("sources", "source").router())
    app.include_router(trials.router)
    app.include_router(Entries("items", "item").router())
    add_docs(app)
    for kind in HANDLED:
        app.add_exception_handler(kind, answer)
    return app
