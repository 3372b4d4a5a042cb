"""A running `ltri serve`, and a client of it that needs nothing but Python.

LTRI names the program, MODEL the model; by default build/release/ltri and smollm2.
"""

import contextlib
import http.client
import json
import os
import subprocess
import tempfile
import threading
import time

LTRI = os.environ.get("LTRI", "build/release/ltri")
MODEL = os.environ.get("MODEL", "smollm2")


class Server:
    """Starts with the block and ends with it; the program must end as it should."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.options = options if "--library" in options else (*options, "--library", f"{self.folder.name}/library")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        self.stop()
        self.folder.cleanup()

    def start(self):
        self.process = subprocess.Popen([LTRI, "serve", "--model", MODEL, "--port", "0", *self.options],
                                        stderr=subprocess.PIPE, text=True)
        before = []
        for line in self.process.stderr:
            before.append(line)
            if line.startswith("{") and json.loads(line)["event"] == "listening":
                break
        else:
            raise RuntimeError(f"the server did not start: {''.join(before)}")
        self.url = json.loads(line)["detail"]
        self.port = int(self.url.rsplit(":", 1)[1])
        # Its log must not fill the pipe.
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=90)
        self.drain.join()
        self.process.stderr.close()
        if code != 0:
            raise RuntimeError(f"the server ended with {code}")

    def get(self, path):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def post(self, path, body):
        """The reply to JSON, which must be good."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            text = reply.read().decode()
            if reply.status != 200:
                raise RuntimeError(f"status {reply.status}: {text}")
            return json.loads(text)

    def complete(self, prompt, tokens, **fields):
        """The text of an answer that goes on for so many tokens."""
        body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True} | fields
        return self.post("/v1/completions", body)["choices"][0]["text"]

    def stream(self, prompt, tokens, **fields):
        """Yields (seconds since the request, event); leaving early hangs up."""
        body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True, "stream": True,
                "stream_options": {"include_usage": True}} | fields
        begin = time.monotonic()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            if reply.status != 200:
                raise RuntimeError(f"status {reply.status}: {reply.read().decode()}")
            for line in reply:
                if line.startswith(b"data: {"):
                    event = json.loads(line[6:])
                    if "error" in event:
                        raise RuntimeError(event["error"]["message"])
                    yield time.monotonic() - begin, event

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise KeyError(name)

    def memory(self):
        """Bytes of the process in RAM."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def text_of(event):
    return event["choices"][0]["text"] if event["choices"] else ""
