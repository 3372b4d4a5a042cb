#!/usr/bin/env python3
"""The web page in a headless Chromium, with real clicks and keys.

    python tests/server/page_test.py      SCREENSHOTS=FOLDER keeps pictures of it
"""

import os
import tempfile
import unittest

import browser
from running_server import Server

SCREENSHOTS = os.environ.get("SCREENSHOTS")
NEEDLE = "The special magic number for Oslo is 4817263."
BOOK = os.path.join(os.path.dirname(__file__), "../../data/moby-dick.txt")


def haystack():
    """Some pages of a book, with the needle between two paragraphs."""
    with open(BOOK, encoding="utf-8") as file:
        paragraphs = file.read()[100000:132000].split("\n\n")
    paragraphs.insert(len(paragraphs) // 2, NEEDLE)
    return "\n\n".join(paragraphs)


@unittest.skipIf(browser.missing(), f"{browser.missing()} is not installed")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.page = cls.enterClassContext(browser.Browser())

    def setUp(self):
        self.page.open(self.server.url)
        self.page.wait("the model's name", lambda: self.page.text("#model") != "")
        self.page.script("document.querySelector('#tokens').value = 24; document.querySelector('#temperature').value = 0")

    def picture(self, name):
        if SCREENSHOTS:
            self.page.screenshot(os.path.join(SCREENSHOTS, f"{name}.png"))

    def ask(self, words, answers=1):
        """Until each answer has its last line."""
        before = self.page.count(".answer")
        self.page.type("#question", words + browser.KEYS["enter"])
        self.page.wait("answers", lambda: self.page.count(".answer") == before + answers)
        self.page.wait("their ends", lambda: self.page.script("return document.querySelector('#stop').hidden"))
        self.assertEqual(self.page.text(".error"), "")

    def test_a_question_is_answered_and_followed_up(self):
        self.ask("What is the capital of France?")
        self.assertRegex(self.page.text(".answer .text"), r"\w")
        self.assertRegex(self.page.text(".answer .about"), r"first word after [\d.]+ s, [\d.]+ tokens/s")
        self.ask("And of Spain?")
        self.assertIn("known before", self.page.text(".answer .about"))
        self.assertRegex(self.page.text("#load"), r"\d reading, \d answering, \d waiting · [\d.]+ GB at most")
        self.page.click("#new")
        self.assertEqual(self.page.count(".answer"), 0)

    def test_methods_side_by_side(self):
        self.page.script("document.querySelector('#other').value = 'dense'")
        self.ask("Name a colour.", answers=2)
        about = self.page.text(".answer .about")
        self.assertIn("ltri:", about)
        self.assertIn("dense:", about)
        tops = self.page.script("return [...document.querySelectorAll('.answer')].map(e => e.getBoundingClientRect().top)")
        self.assertEqual(tops[0], tops[1])
        self.picture("page-methods")

    def test_escape_stops_an_answer(self):
        self.page.script("document.querySelector('#tokens').value = 4000")
        self.page.type("#question", "Tell me a very long story." + browser.KEYS["enter"])
        self.page.wait("its beginning", lambda: self.page.text(".answer .text") != "")
        self.page.press("escape")
        self.page.wait("its end", lambda: "stopped" in self.page.text(".answer .about"))

    def test_a_document_is_dropped_read_asked_and_shown(self):
        self.page.script("""
            const data = new DataTransfer();
            data.items.add(new File([arguments[0]], "moby dick.txt", {type: "text/plain"}));
            const drop = document.querySelector("#drop");
            drop.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));""", haystack())
        self.page.wait("its progress", lambda: "left" in self.page.text("#documents"))
        self.page.wait("its end", lambda: self.page.count("#documents input:checked") == 1, 120)
        self.assertIn("tokens", self.page.text("#documents"))
        self.ask("What is the special magic number for Oslo?")
        self.assertIn("4817263", self.page.text(".answer .text"))
        self.assertGreater(self.page.count(".citations button"), 0)
        wide = "const chat = document.querySelector('#chat'); return chat.scrollWidth - chat.clientWidth"
        self.assertLessEqual(self.page.script(wide), 0)
        self.page.click(".map summary")
        painted = self.page.script("""
            const canvas = document.querySelector(".map canvas");
            return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte > 0)""")
        self.assertTrue(painted)
        self.picture("page-document")
        self.page.click(".citations button")
        self.page.wait("the place", lambda: self.page.count("#place[open] mark.wanted") == 1)
        marked = self.page.text("#place mark")
        self.assertIn(marked[:10].strip(), haystack())
        self.picture("page-citation")
        self.page.press("escape")
        self.assertEqual(self.page.count("#place[open]"), 0)
        self.page.script("window.confirm = () => true")
        self.page.click("#documents button")
        self.page.wait("it to go", lambda: self.page.count("#documents li") == 0)

    def test_everything_is_reached_by_keyboard(self):
        reached = set()
        for _ in range(14):
            self.page.press("tab")
            reached.add(self.page.script("return document.activeElement.id"))
        self.assertLessEqual({"new", "drop", "method", "budget", "other", "temperature", "tokens", "question"}, reached)

    def test_narrow_and_dark(self):
        self.addCleanup(self.page.devtools, "Emulation.clearDeviceMetricsOverride")
        self.addCleanup(self.page.devtools, "Emulation.setEmulatedMedia", features=[])
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = self.page.script(ground)
        self.page.resize(360, 700)
        self.page.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.assertNotEqual(self.page.script(ground), light)
        self.ask("Hello")
        self.assertLessEqual(self.page.script("return document.documentElement.scrollWidth"), 360)
        self.picture("page-narrow")


@unittest.skipIf(browser.missing(), f"{browser.missing()} is not installed")
class PageWithKey(unittest.TestCase):
    def test_the_page_asks_for_the_key(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("a-secret-key\n")
            keys.flush()
            with Server("--api-keys", keys.name) as server, browser.Browser() as page:
                page.open(server.url)
                page.wait("the question", lambda: page.count("#key-dialog[open]") == 1)
                page.type("#key", "a-secret-key" + browser.KEYS["enter"])
                page.wait("the model's name", lambda: page.text("#model") != "")


if __name__ == "__main__":
    unittest.main()
