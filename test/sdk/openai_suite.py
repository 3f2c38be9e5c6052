"""The official Python SDK against the gateway, by its sync and its async client.

Reads where to go as JSON from standard input, and prints a line for each check: `ok sync NAME` or
`failed async NAME: why`. Every check is one function for both clients: `settled` and `each` take what
either of them gives.
"""

import asyncio
import inspect
import json
import math
import re
import sys
import time
import traceback
import urllib.request
from contextlib import asynccontextmanager

import openai
from pydantic import BaseModel

PLACES = json.load(sys.stdin)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
QUESTION = "Wie heißt das „Mauthäuschen“? 🛃"
MESSAGES = [{"role": "user", "content": QUESTION}]
CHAT = {"model": "sim/sim-1", "messages": MESSAGES}
ENDLESS = {"model": "sim/sim-1;tps=50;tokens=100000", "messages": MESSAGES, "stream": True}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
            "required": ["city", "days"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
CHECKS = []


class Toll(BaseModel):
    road: str
    cents: int
    paid: bool


def check(run):
    CHECKS.append(run)
    return run


async def settled(value):
    return await value if inspect.isawaitable(value) else value


async def each(stream):
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


@asynccontextmanager
async def opened(manager):
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


async def chat(client, **more):
    return await settled(client.chat.completions.create(**{**CHAT, **more}))


async def chunks_of(client, **more):
    stream = await chat(client, stream=True, **more)
    return [chunk async for chunk in each(stream)]


async def raised(call):
    try:
        await settled(call())
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def simulator(path, method="GET"):
    request = urllib.request.Request(PLACES["simulator_url"] + path, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def until_provider(**expected):
    due_at = time.monotonic() + 5
    while not expected.items() <= (stats := simulator("/sim/stats")).items():
        assert time.monotonic() < due_at, f"the provider is at {stats}"
        await asyncio.sleep(0.01)


async def forget_requests():
    # What the check before this one left has to be noticed first.
    await until_provider(open=0)
    simulator("/sim/reset", "POST")


def functions_of(message):
    return [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or []
    ]


@check
async def chat_whole(client):
    completion = await chat(client)
    assert QUESTION in completion.choices[0].message.content
    same(completion.choices[0].finish_reason, "stop")
    usage = completion.usage
    same(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    assert UUID.fullmatch(completion._request_id), completion._request_id


@check
async def chat_streamed(client):
    whole = await chat(client)
    chunks = await chunks_of(client)
    pieces = [piece for chunk in chunks if (piece := chunk.choices[0].delta.content)]
    same("".join(pieces), whole.choices[0].message.content)
    assert len(pieces) > 5
    same(chunks[-1].choices[0].finish_reason, "stop")
    same([chunk.usage for chunk in chunks if chunk.usage], [])


@check
async def chat_streamed_with_usage(client):
    whole = await chat(client)
    *others, last = await chunks_of(client, stream_options={"include_usage": True})
    same((last.choices, last.usage), ([], whole.usage))
    same([chunk.usage for chunk in others if chunk.usage], [])


@check
async def chat_stream_helper(client):
    content = ""
    async with opened(client.chat.completions.stream(**CHAT)) as stream:
        async for event in each(stream):
            if event.type == "content.delta":
                content += event.delta
        completion = await settled(stream.get_final_completion())
    assert QUESTION in content
    same(completion.choices[0].message.content, content)


@check
async def tools_whole(client):
    choice = (await chat(client, tools=[WEATHER, CLOCK])).choices[0]
    same(choice.finish_reason, "tool_calls")
    [(call_id, name, arguments)] = functions_of(choice.message)
    assert call_id
    same((name, sorted(arguments)), ("weather", ["city", "days"]))


@check
async def tools_streamed(client):
    whole = await chat(client, tools=[WEATHER])
    pieces = []
    request = {**CHAT, "tools": [WEATHER]}
    async with opened(client.chat.completions.stream(**request)) as stream:
        async for event in each(stream):
            if event.type == "tool_calls.function.arguments.delta" and event.arguments_delta:
                pieces.append(event.arguments_delta)
        completion = await settled(stream.get_final_completion())
    calls = functions_of(completion.choices[0].message)
    same(calls, functions_of(whole.choices[0].message))
    assert len(pieces) > 1
    same(json.loads("".join(pieces)), calls[0][2])


@check
async def tools_in_parallel(client):
    messages = [{"role": "user", "content": "Ask both in parallel."}]
    completion = await chat(client, messages=messages, tools=[WEATHER, CLOCK])
    calls = functions_of(completion.choices[0].message)
    same([name for _, name, _ in calls], ["weather", "clock"])
    same(len({call_id for call_id, _, _ in calls}), 2)


@check
async def tools_result_turn(client):
    message = (await chat(client, tools=[WEATHER])).choices[0].message
    [(call_id, _, _)] = functions_of(message)
    result = {"role": "tool", "tool_call_id": call_id, "content": "Rain until noon."}
    answer = await chat(client, messages=[*MESSAGES, message, result], tools=[WEATHER])
    same(answer.choices[0].finish_reason, "stop")
    assert "Rain until noon." in answer.choices[0].message.content


@check
async def json_mode(client):
    completion = await chat(client, response_format={"type": "json_object"})
    assert QUESTION in json.loads(completion.choices[0].message.content)["answer"]


@check
async def json_schema(client):
    completion = await settled(client.chat.completions.parse(**CHAT, response_format=Toll))
    assert isinstance(completion.choices[0].message.parsed, Toll)


@check
async def completions(client):
    request = {"model": "sim/sim-1", "prompt": "Once upon a road"}
    whole = await settled(client.completions.create(**request))
    assert "Once upon a road" in whole.choices[0].text
    stream = await settled(client.completions.create(**request, stream=True))
    text = "".join([chunk.choices[0].text async for chunk in each(stream)])
    same(text, whole.choices[0].text)


@check
async def embeddings(client):
    request = {"model": "sim/sim-embed-1", "input": ["a toll", "is due"]}
    decoded = await settled(client.embeddings.create(**request))
    same(json.loads(simulator("/sim/stats")["lastRequest"]["body"])["encoding_format"], "base64")
    plain = await settled(client.embeddings.create(**request, encoding_format="float"))
    vectors = [item.embedding for item in plain.data]
    same([len(vector) for vector in vectors], [1536, 1536])
    assert math.isclose(math.hypot(*vectors[0]), 1, abs_tol=1e-5)
    same([item.embedding for item in decoded.data], vectors)
    assert decoded.usage.total_tokens > 0


@check
async def models(client):
    page = await settled(client.models.list())
    same([model.id for model in page.data], PLACES["models"])
    for name in PLACES["models"]:
        same((await settled(client.models.retrieve(name))).id, name)
    error = await raised(lambda: client.models.retrieve("sim/sim-2"))
    assert isinstance(error, openai.NotFoundError), error


STATUS_ERRORS = [
    ("", openai.BadRequestError, 400, "invalid_request"),
    ("nowhere/model", openai.NotFoundError, 404, "model_not_found"),
    ("sim/fault-error-400", openai.BadRequestError, 400, "invalid_value"),
    ("sim/fault-error-404", openai.NotFoundError, 404, "model_not_found"),
    ("sim/fault-error-429", openai.RateLimitError, 429, "rate_limit_exceeded"),
    ("sim/fault-error-500", openai.InternalServerError, 500, None),
    ("sim/fault-error-503", openai.InternalServerError, 503, None),
    ("sim/fault-error-401", openai.InternalServerError, 502, "upstream_unauthorized"),
    ("gone/sim-1", openai.InternalServerError, 502, "upstream_unreachable"),
    ("sim/fault-html-error", openai.InternalServerError, 502, "upstream_refused"),
    ("sim/fault-error-first-frame", openai.InternalServerError, 502, "server_error"),
    ("prompt/fault-hang-before-headers", openai.InternalServerError, 504, "upstream_timeout"),
]


@check
async def errors_by_status(client):
    for model, kind, status, code in STATUS_ERRORS:
        for stream in (False, True):
            error = await raised(lambda: chat(client, model=model, stream=stream))
            same((type(error), error.status_code, error.code), (kind, status, code))
            assert UUID.fullmatch(error.request_id), error.request_id


@check
async def errors_of_keys(client):
    stranger = client.with_options(api_key="sk-tg-" + "x" * 43)
    error = await raised(lambda: chat(stranger))
    same((type(error), error.code), (openai.AuthenticationError, "invalid_api_key"))
    narrow = client.with_options(api_key=PLACES["narrow_key"])
    error = await raised(lambda: chat(narrow))
    same((type(error), error.code), (openai.PermissionDeniedError, "model_not_allowed"))


STREAM_ERRORS = [
    ("sim/fault-reset-mid-stream;tps=20", "upstream_broken"),
    ("sim/fault-truncated-stream", "upstream_broken"),
    ("sim/fault-truncated-json", "upstream_broken"),
    ("sim/fault-malformed-sse", "upstream_malformed"),
    ("sim/fault-error-mid-stream", "server_error"),
    ("steady/fault-hang-mid-stream", "upstream_timeout"),
]


@check
async def errors_in_streams(client):
    for model, code in STREAM_ERRORS:
        content = ""

        async def read():
            nonlocal content
            async for chunk in each(await chat(client, model=model, stream=True)):
                content += chunk.choices[0].delta.content or ""

        error = await raised(read)
        # Not a subclass: a connection that broke would be one.
        same((model, type(error), error.code), (model, openai.APIError, code))
        assert content.startswith("You"), content


@check
async def leaving_a_stream(client):
    await forget_requests()
    stream = await settled(client.chat.completions.create(**ENDLESS))
    async for chunk in each(stream):
        if chunk.choices[0].delta.content:
            break
    await settled(stream.close())
    await until_provider(cancelled=1, open=0)


@check
async def leaving_a_whole_answer(client):
    await forget_requests()
    error = await raised(lambda: chat(client, model="sim/sim-1;ttft=600000", timeout=0.5))
    assert isinstance(error, openai.APITimeoutError), error
    await until_provider(cancelled=1, open=0)


@check
async def retries_only_what_may_help(client):
    for name, visits in [("fault-error-401", 1), ("fault-error-400", 1), ("fault-error-500", 2)]:
        await forget_requests()
        await raised(lambda: chat(client.with_options(max_retries=1), model=f"sim/{name}"))
        same((name, simulator("/sim/stats")["requests"]), (name, visits))


async def run(mode, client):
    for check_ in CHECKS:
        try:
            await check_(client)
            print(f"ok {mode} {check_.__name__}", flush=True)
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[1].lineno
            why = f"line {line}: {type(error).__name__}: {error}".replace("\n", " ")
            print(f"failed {mode} {check_.__name__}: {why}", flush=True)
    await settled(client.close())


async def main():
    options = {"base_url": PLACES["base_url"], "api_key": PLACES["key"], "max_retries": 0}
    await run("sync", openai.OpenAI(**options))
    await run("async", openai.AsyncOpenAI(**options))


asyncio.run(main())
