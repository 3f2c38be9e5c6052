"""Anthropic's Python SDK, LangChain and LlamaIndex against the gateway, before every upstream format.

Reads where to go as JSON from standard input, and prints a line for each check: `ok UPSTREAM NAME` or
`failed UPSTREAM NAME: why`.
"""

import json
import sys
import traceback

import anthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

PLACES = json.load(sys.stdin)
QUESTION = "Wie heißt das „Mauthäuschen“? 🛃"
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def claude() -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=f"{PLACES['url']}/anthropic", api_key=PLACES["key"], max_retries=0
    )


def ask(model: str, **more):
    messages = more.pop("messages", [{"role": "user", "content": QUESTION}])
    return {"model": model, "max_tokens": 1024, "messages": messages, **more}


def anthropic_whole(model: str):
    message = claude().messages.create(**ask(model))
    assert message.type == "message" and message.role == "assistant"
    assert message.content[0].text, message
    assert message.stop_reason == "end_turn", message.stop_reason
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0


def anthropic_streamed(model: str):
    whole = claude().messages.create(**ask(model))
    with claude().messages.stream(**ask(model)) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text, (text, whole)
    assert final.content[0].text == text
    assert final.stop_reason == "end_turn"


def anthropic_tools(model: str):
    first = claude().messages.create(**ask(model, tools=[WEATHER]))
    assert first.stop_reason == "tool_use", first
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.name == "weather" and isinstance(call.input["city"], str)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "rain"}
    turns = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    last = claude().messages.create(**ask(model, tools=[WEATHER], messages=turns))
    assert last.stop_reason == "end_turn", last


def anthropic_errors(model: str):
    provider = model.split("/")[0]
    client = claude()
    for fault, kind in [
        ("fault-error-400", anthropic.BadRequestError),
        ("fault-error-429", anthropic.RateLimitError),
    ]:
        try:
            client.messages.create(**ask(f"{provider}/{fault}"))
        except kind as error:
            assert error.body["type"] == "error", error.body
        else:
            raise AssertionError(f"{fault} raised nothing")
    try:
        client.with_options(api_key="sk-tg-unknown").messages.create(**ask(model))
    except anthropic.AuthenticationError:
        pass
    else:
        raise AssertionError("an unknown key was taken")


def langchain(model: str, **more) -> ChatOpenAI:
    return ChatOpenAI(
        model=model, base_url=f"{PLACES['url']}/v1", api_key=PLACES["key"], max_retries=0, **more
    )


def langchain_whole(model: str):
    message = langchain(model).invoke([HumanMessage(QUESTION)])
    assert message.content and message.usage_metadata["output_tokens"] > 0, message


def langchain_streamed(model: str):
    whole = langchain(model).invoke([HumanMessage(QUESTION)]).content
    text = "".join(chunk.content for chunk in langchain(model).stream([HumanMessage(QUESTION)]))
    assert text == whole, (text, whole)


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def langchain_tools(model: str):
    chat = langchain(model).bind_tools([weather])
    first = chat.invoke([HumanMessage(QUESTION)])
    (call, *_) = first.tool_calls
    assert call["name"] == "weather", first
    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    assert chat.invoke([HumanMessage(QUESTION), first, result]).content


def llama_index(model: str) -> OpenAILike:
    return OpenAILike(
        model=model,
        api_base=f"{PLACES['url']}/v1",
        api_key=PLACES["key"],
        is_chat_model=True,
        max_retries=0,
    )


def llama_index_whole(model: str):
    answer = llama_index(model).chat([ChatMessage(role="user", content=QUESTION)])
    assert answer.message.content, answer


def llama_index_streamed(model: str):
    messages = [ChatMessage(role="user", content=QUESTION)]
    whole = llama_index(model).chat(messages).message.content
    text = "".join(chunk.delta or "" for chunk in llama_index(model).stream_chat(messages))
    assert text == whole, (text, whole)


CHECKS = [
    anthropic_whole,
    anthropic_streamed,
    anthropic_tools,
    anthropic_errors,
    langchain_whole,
    langchain_streamed,
    langchain_tools,
    llama_index_whole,
    llama_index_streamed,
]

for upstream in PLACES["upstreams"]:
    for check in CHECKS:
        try:
            check(f"{upstream}/sim-1")
            print(f"ok {upstream} {check.__name__}", flush=True)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1].lineno
            why = " ".join(f"{type(error).__name__} {error} (line {where})".split())
            print(f"failed {upstream} {check.__name__}: {why}", flush=True)
