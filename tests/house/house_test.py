#!/usr/bin/env python3
"""Checks this checkout against the rules of the house, and the rules against trees that break them.

    python3 tests/house/house_test.py
"""

import tempfile
import unittest
from pathlib import Path

import house_rules as rules

ROOT = Path(__file__).resolve().parents[2]


class House(unittest.TestCase):
    """One test a rule; a failure lists every finding."""

    tree = rules.Tree(ROOT)


def _add_rule(rule):
    def test(self):
        findings = rule(self.tree)
        if findings:
            self.fail(f"{rule.__doc__.splitlines()[0]}\n  " + "\n  ".join(findings))

    test.__doc__ = rule.__doc__.splitlines()[0]
    setattr(House, f"test_{rule.__name__}", test)


for _rule in rules.RULES:
    _add_rule(_rule)


class RulesFindWhatTheyShould(unittest.TestCase):
    def findings(self, rule, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return rule(rules.Tree(folder, list(files)))

    def test_include_of_a_later_folder(self):
        found = self.findings(rules.folder_order, {"src/spans/a.cc": '#include <vector>\n#include "memory/b.h"\n',
                                                   "src/memory/b.h": '#include "spans/a.h"\n#include "base/c.h"\n'})
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/spans/a.cc:2: includes memory/b.h, but spans comes before memory"))

    def test_include_by_bare_name(self):
        found = self.findings(rules.folder_order, {"src/ops/cpu/a.cc": '#include "b.h"\n', "src/ops/cpu/b.h": ""})
        self.assertIn("write ops/cpu/b.h", found[0])

    def test_unknown_folder(self):
        self.assertEqual(len(self.findings(rules.folder_order, {"src/misc/a.cc": "", "src/b.cc": ""})), 2)

    def test_public_header(self):
        good = '#include <stdint.h>\n#include <vector>\n#include "ltri/b.h"\n'
        files = {"include/ltri/a.h": good + '#include "base/c.h"\n#include <fmt/core.h>\n', "include/ltri/b.h": ""}
        self.assertEqual(len(self.findings(rules.public_headers, files)), 2)

    def test_llama_header_direct_and_through_ours(self):
        files = {"src/text/inner.h": '#include <llama.h>\n', "src/text/outer.h": '#include "text/inner.h"\n',
                 "src/engine/step.cc": '#include "text/outer.h"\n', "src/engine/sampler.cc": '#include "llama.h"\n',
                 "src/engine/decode.cc": '#include "ggml-cpu.h"\n', "src/bench/llama_peer.cc": '#include <llama.h>\n',
                 "src/bench/rounds.cc": '#include <llama.h>\n', "src/weights/file.h": '#include "gguf.h"\n'}
        found = self.findings(rules.llama_headers, files)
        self.assertEqual([line.split(":")[0] for line in found],
                         ["src/bench/rounds.cc", "src/engine/decode.cc", "src/engine/step.cc", "src/weights/file.h"])
        self.assertIn("brings in llama.h", found[2])

    def test_long_file(self):
        self.assertEqual(len(self.findings(rules.file_length, {"src/ops/a.cc": "\n" * 601, "src/ops/b.cc": "\n" * 600})), 1)

    def test_readme(self):
        files = {"src/ops/a.h": "", "src/ops/README.md": "`a.h` `ops/a.h` `*.h` `<name>.cc` `gone.h`\n",
                 "src/spans/b.cc": "", "src/base/c.cc": "", "src/base/README.md": "line\n" * 41}
        found = self.findings(rules.folder_readmes, files)
        self.assertEqual([line.split(":")[0] for line in found],
                         ["src/spans/README.md", "src/base/README.md", "src/ops/README.md"])
        self.assertIn("gone.h", found[2])

    def test_text(self):
        files = {"docs/a.md": "see /ro" "ot/x and build/work/y\n// TO" "DO later\n", "src/ops/b.cc": "// $HOME/x ~/work/z\n",
                 "data/c.txt": "TO" "DO\n"}
        self.assertEqual(len(self.findings(rules.tidy_text, files)), 2)


if __name__ == "__main__":
    unittest.main()
