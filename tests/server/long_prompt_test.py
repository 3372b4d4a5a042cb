#!/usr/bin/env python3
"""A long prompt beside four other users, a second question on it, and a third one after a restart.

    python tests/server/long_prompt_test.py      TOKENS=65536 for the figures of docs/server.md
"""

import os
import random
import statistics
import tempfile
import threading
import time
import unittest

from running_server import Server, text_of

TOKENS = int(os.environ.get("TOKENS", "8192"))
USERS = 4
WORDS = ("the captain wrote that morning about a harbour where old ships were painted in colours nobody could name and "
         "each sailor carried one letter which said when he would return to his village behind green hills").split()


def long_text(server):
    """TOKENS tokens, or a few less, that do not repeat themselves."""
    draw = random.Random(1)
    words = draw.choices(WORDS, k=TOKENS)
    tokens = server.post("/tokenize", {"content": " ".join(words)})["tokens"][:TOKENS - 64]
    return server.post("/detokenize", {"tokens": tokens})["content"]


class User(threading.Thread):
    """Reads a long answer, and measures the time between two of its tokens, until told to leave."""

    def __init__(self, server, number):
        super().__init__()
        self.server = server
        self.prompt = f"User {number} asks for a long story about " + " ".join(random.Random(number).choices(WORDS, k=20))
        self.leave = threading.Event()
        self.gaps = []
        self.start()

    def run(self):
        while not self.leave.is_set():
            last = None
            for now, event in self.server.stream(self.prompt, 400, cache_prompt=False):
                if not text_of(event):
                    continue
                if last is not None:
                    self.gaps.append(now - last)
                last = now
                if self.leave.is_set():
                    break


def gaps_of(users):
    for user in users:
        user.leave.set()
    for user in users:
        user.join()
    return [gap for user in users for gap in user.gaps]


def listed(seconds):
    return ", ".join(f"{one:.2f}" for one in seconds)


class LongPrompt(unittest.TestCase):
    def prompt_of(self, event):
        """Tokens of the prompt, and how many of them were known."""
        usage = event["usage"]
        return usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"]

    def users_alone(self, server):
        users = [User(server, number) for number in range(USERS)]
        time.sleep(10)
        return gaps_of(users)

    def first_token(self, server, prompt):
        """Seconds until the first word, and the event that tells of the whole request."""
        first, last = None, None
        for now, event in server.stream(prompt, 8):
            if first is None and text_of(event):
                first = now
            last = event
        return first, last

    def test_others_go_on_and_nothing_is_read_twice(self):
        with tempfile.TemporaryDirectory() as state, Server("--state", state) as server:
            text = long_text(server)
            alone = self.users_alone(server)
            users = [User(server, number) for number in range(USERS)]
            waits, turns, read, seconds = [], [], 0, 0
            for now, event in server.stream(text + "\nQuestion: who wrote?\nAnswer:", 4, return_progress=True):
                progress = event.get("prompt_progress")
                if progress and progress["processed"] - read >= TOKENS // 4 and progress["processed"] < progress["total"]:
                    read, seconds = progress["processed"], now
                    wait, end = self.first_token(server, f"A new user asks at {read}: what is")
                    waits.append(wait)
                    turns.append(end["ltri"]["queue_seconds"])
            beside = gaps_of(users)
            median = statistics.median(beside)
            alone = statistics.median(alone + self.users_alone(server))  # the machine may be busier than before
            block = max(beside)  # the longest step: one with a block in it

            second, end = self.first_token(server, text + "\nQuestion: where was the harbour?\nAnswer:")
            prompt_tokens, cached = self.prompt_of(end)
            server.stop()
            server.start()
            third, end = self.first_token(server, text + "\nQuestion: what colour had the ships?\nAnswer:")

        print(f"{prompt_tokens} tokens read beside {USERS} users in about {seconds * prompt_tokens / max(1, read):.0f} s: "
              f"between two of their tokens {median * 1000:.0f} ms, alone {alone * 1000:.0f} ms "
              f"({median / alone:.2f}), at most {block:.2f} s")
        print(f"new users meanwhile: their turn after {listed(turns)} s, the first word after {listed(waits)} s")
        print(f"second question: first word after {second:.2f} s, {cached} tokens known; after a restart {third:.2f} s")
        self.assertLessEqual(median, 2 * alone)
        self.assertLessEqual(max(turns), block + 0.05)
        self.assertGreater(cached, prompt_tokens - 200)
        self.assertGreater(self.prompt_of(end)[1], prompt_tokens - 200)
        self.assertLessEqual(second, 1.5)
        self.assertLessEqual(third, 3)


if __name__ == "__main__":
    unittest.main()
