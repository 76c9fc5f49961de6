"""Drives `marula mcp` with the official Python client: PROGRAM, then a target's alias.

Over stdio, then over HTTP: every tool is listed, answers are held against the tools' own schemas
(the client does that by itself), resources and prompts are read, errors carry a hint.
"""

import asyncio
import os
import re
import subprocess
import sys

import jsonschema
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

PROGRAM, ALIAS = sys.argv[1:3]


async def talk(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    print("tools:", len(tools))

    async def call(name, **arguments):
        result = await client.call_tool(name, arguments)
        assert not result.is_error, (name, result.content)
        jsonschema.validate(result.structured_content, tools[name].output_schema)
        return result.structured_content

    targets = await call("list_targets")
    assert ALIAS in str(targets), targets
    described = await call("describe", target=ALIAS)
    assert "pairs" in str(described), described
    rows = await call("run_query", target=ALIAS, query="SELECT count(*) FROM pairs")
    assert "10" in str(rows), rows
    await call("review_migration", engine="postgres", migration="ALTER TABLE pairs ADD COLUMN c int")
    reviewed = await call("review_schema", target=ALIAS, prove=False)
    assert "no-primary-key" in str(reviewed), reviewed
    refused = await client.call_tool("run_query", {"target": ALIAS, "query": "DROP TABLE pairs"})
    assert refused.is_error and "hint" in str(refused), refused
    resources = (await client.list_resource_templates()).resource_templates
    assert any("rules" in template.uri_template for template in resources), resources
    page = await client.read_resource("marula://rules/no-primary-key")
    assert "primary key" in page.contents[0].text
    prompts = (await client.list_prompts()).prompts
    assert len(prompts) == 8, prompts
    print("prompts:", len(prompts))


async def over_stdio():
    server = StdioServerParameters(command=PROGRAM, args=["mcp"], env=dict(os.environ))
    async with Client(stdio_client(server)) as client:
        await talk(client)
    print("stdio: done")


async def over_http():
    server = subprocess.Popen([PROGRAM, "mcp", "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said, url, token = "", None, None
        while not (url and token):
            line = server.stderr.readline()
            assert line, said
            said += line
            url = url or re.search(r"http://127\.0\.0\.1:\d+\S*", line)
            token = token or re.search(r"[Bb]earer (\S+)|token[^:]*: *(\S+)", line)
        token = next(group for group in token.groups() if group)
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
        async with Client(streamable_http_client(url.group(0), http_client=http)) as client:
            await talk(client)
        print("http: done")
    finally:
        server.terminate()
        server.wait()


asyncio.run(over_stdio())
asyncio.run(over_http())
