"""An agent, by the official client of the Model Context Protocol."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent


@asynccontextmanager
async def open_agent(url: str) -> AsyncIterator[ClientSession]:
    """Connect to the tools of a page."""
    async with (
        streamable_http_client(f"{url}/gradio_api/mcp") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def text_of(result: CallToolResult) -> str:
    """Return what a tool says in words."""
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


async def call_tools(url: str, calls: Iterable[tuple[str, dict[str, Any]]]) -> list[CallToolResult]:
    """Call tools one after the other, and return what they say."""
    async with open_agent(url) as session:
        return [await session.call_tool(name, arguments) for name, arguments in calls]
