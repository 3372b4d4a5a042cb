#!/usr/bin/env python3
"""Many streams at once, some of which hang up: each answer is the one that its request gets alone.

    python tests/server/load_test.py      SECONDS=600 for ten minutes, STREAMS=64
"""

import os
import random
import threading
import time
import unittest

from running_server import Server, text_of

SECONDS = float(os.environ.get("SECONDS", "60"))
STREAMS = int(os.environ.get("STREAMS", "64"))
WORDS = "river stone lamp seven crow under ladder glass winter north paper engine salt brother yellow mill".split()
REQUESTS = 24  # different ones


def request(number):
    draw = random.Random(number)
    prompt = " ".join(draw.choices(WORDS, k=draw.randrange(10, 120)))
    return prompt, draw.randrange(8, 32), {"seed": number, "temperature": draw.choice([0, 0.9]), "cache_prompt": False}


class Load(unittest.TestCase):
    def serve(self, server, stream, end, alone):
        """One client: asks again and again, and hangs up now and then."""
        draw = random.Random(stream)
        while time.monotonic() < end:
            number = draw.randrange(REQUESTS)
            prompt, tokens, fields = request(number)
            patience = draw.randrange(tokens) if draw.random() < 0.2 else None
            text = ""
            try:
                for count, (_, event) in enumerate(server.stream(prompt, tokens, **fields)):
                    text += text_of(event)
                    if count == patience:
                        break
                else:
                    self.answers += 1
                    if text != alone[number]:
                        self.wrong.append(f"request {number}: {text!r} instead of {alone[number]!r}")
                    continue
                self.left += 1
            except Exception as error:  # whatever it is, nobody asked for it
                self.wrong.append(f"request {number}: {error!r}")

    def test_many_streams(self):
        self.answers, self.left, self.wrong = 0, 0, []
        with Server() as server:
            alone = [server.complete(prompt, tokens, **fields)
                     for prompt, tokens, fields in map(request, range(REQUESTS))]
            begin = time.monotonic()
            clients = [threading.Thread(target=self.serve, args=(server, stream, begin + SECONDS, alone))
                       for stream in range(STREAMS)]
            for client in clients:
                client.start()
            time.sleep(min(60.0, SECONDS / 2))
            settled = server.memory()
            for client in clients:
                client.join()
            memory = server.memory()
            peak = server.metric("ltri_peak_memory_bytes")
            failed = server.metric('ltri_requests_total{end="failed"}')
        print(f"{STREAMS} streams for {SECONDS:.0f} s: {self.answers} answers, {self.left} hung up; "
              f"{settled / 1e6:.0f} MB after the beginning, {memory / 1e6:.0f} MB at the end, at most {peak / 1e6:.0f} MB")
        self.assertEqual(self.wrong[:5], [])
        self.assertEqual(failed, 0)
        self.assertGreater(self.answers, STREAMS)
        self.assertGreater(self.left, 0)
        self.assertLess(peak, 1.1 * settled + 32e6)


if __name__ == "__main__":
    unittest.main()
