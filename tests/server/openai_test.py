#!/usr/bin/env python3
"""The official openai client for Python against a running `ltri serve`. `make test-serve` installs the client.

    python tests/server/openai_test.py      TRIES=50 answers must fit a JSON schema
"""

import json
import os
import unittest

import openai

from running_server import Server

TRIES = int(os.environ.get("TRIES", "50"))  # answers that must fit the schema
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "married": {"type": "boolean"},
        "colour": {"enum": ["red", "green", "blue"]},
    },
    "required": ["name", "age", "married", "colour"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
        },
    },
}


class OpenAiClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.client = openai.OpenAI(base_url=f"{cls.server.url}/v1", api_key="any", max_retries=0)
        cls.model = cls.client.models.list().data[0].id

    def ask(self, words, **options):
        options = {"max_tokens": 16, "temperature": 0} | options
        return self.client.chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": words}], **options)

    def test_chat(self):
        reply = self.ask("What is the capital of France?")
        self.assertTrue(reply.choices[0].message.content)
        self.assertEqual(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens)

    def test_stream_says_the_same(self):
        whole = self.ask("Count to five.", extra_body={"cache_prompt": False}).choices[0].message.content
        text, usage = "", None
        for chunk in self.ask("Count to five.", stream=True, stream_options={"include_usage": True},
                              extra_body={"return_progress": True, "cache_prompt": False}):
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            usage = chunk.usage or usage
        self.assertEqual(text, whole)
        self.assertGreater(usage.completion_tokens, 0)

    def test_completion(self):
        reply = self.client.completions.create(model=self.model, prompt="Once upon a", max_tokens=8, temperature=0, logprobs=2)
        self.assertTrue(reply.choices[0].text)
        self.assertEqual(len(reply.choices[0].logprobs.tokens), reply.usage.completion_tokens)

    def test_several_answers_and_seed(self):
        replies = [self.ask("Say something", n=2, seed=3, temperature=1, extra_body={"cache_prompt": False}) for _ in range(2)]
        texts = [[choice.message.content for choice in reply.choices] for reply in replies]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(len(texts[0]), 2)

    def test_logprobs(self):
        content = self.ask("Hi", max_tokens=4, logprobs=True, top_logprobs=3).choices[0].logprobs.content
        self.assertGreater(len(content), 0)
        for token in content:
            self.assertLessEqual(token.logprob, 0)
            self.assertEqual(len(token.top_logprobs), 3)

    def test_stop(self):
        reply = self.ask("Count: 1, 2, 3, 4, 5, 6, 7", stop=[","], max_tokens=40)
        self.assertNotIn(",", reply.choices[0].message.content)

    def test_json_schema(self):
        for seed in range(TRIES):
            reply = self.ask("Invent a person.", temperature=0.8, seed=seed, max_tokens=300, response_format={
                "type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": SCHEMA}})
            person = json.loads(reply.choices[0].message.content)
            self.assertEqual(set(person), set(SCHEMA["required"]))
            self.assertIsInstance(person["name"], str)
            self.assertLessEqual(len(person["name"]), 20)
            self.assertTrue(0 <= person["age"] <= 120)
            self.assertIsInstance(person["married"], bool)
            self.assertIn(person["colour"], ["red", "green", "blue"])

    def test_tools(self):
        reply = self.ask("How warm is it in Oslo?", tools=[TOOL], tool_choice="required", max_tokens=200)
        call = reply.choices[0].message.tool_calls[0]
        self.assertEqual(call.function.name, "get_weather")
        self.assertIn(json.loads(call.function.arguments)["unit"], ["celsius", "fahrenheit"])
        self.assertEqual(reply.choices[0].finish_reason, "tool_calls")
        after = self.client.chat.completions.create(
            model=self.model, max_tokens=16, tools=[TOOL], tool_choice="none",
            messages=[{"role": "user", "content": "How warm is it in Oslo?"}, reply.choices[0].message,
                      {"role": "tool", "tool_call_id": call.id, "content": "4 degrees"}])
        self.assertTrue(after.choices[0].message.content)

    def test_errors(self):
        with self.assertRaises(openai.BadRequestError) as wrong:
            self.ask("x", temperature=9)
        self.assertEqual(wrong.exception.param, "temperature")
        with self.assertRaises(openai.NotFoundError):
            self.client.chat.completions.create(model="none", messages=[{"role": "user", "content": "x"}])
        with self.assertRaises(openai.BadRequestError):
            self.client.chat.completions.create(model=self.model, messages=[])

    def test_timeout(self):
        with self.assertRaises(openai.APITimeoutError):
            self.client.with_options(timeout=0.2).chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": "Tell me a long story."}], max_tokens=4000,
                extra_body={"ignore_eos": True})


if __name__ == "__main__":
    unittest.main()
