"""The rules of the house: what may include what, how long a file may be, what a folder's README says.

Each rule is a function of a Tree and returns a list of findings, one line each: `path:line: what is wrong; what to do`.
"""

import re
import subprocess
from pathlib import Path

# A folder of src/ may use those before it, never those after it.
ORDER = ["base", "text", "weights", "ops", "model", "spans", "memory", "attention", "cuda", "engine", "library", "serve", "eval",
         "bench", "cli"]

MAX_FILE_LINES = 600
MAX_README_LINES = 40

SOURCE_SUFFIXES = {".h", ".cc", ".cu", ".cuh"}
BINARY_SUFFIXES = {".png", ".gguf", ".bin", ".npy", ".npz"}

# Headers of llama.cpp: its libraries, its `common` folder. Only these files of src/ may see them.
LLAMA_HEADERS = re.compile(r"^(common/.*|(llama|ggml|gguf|mtmd)([-_][\w-]+)?\.h|"
                           r"(common|chat|sampling|download|arg|log|json-schema-to-grammar|hf-cache)\.h)$")
LLAMA_WRAPPERS = re.compile(r"^(src/text/.*|src/weights/.*\.cc|src/ops/cpu/matmul.*|src/engine/sampler.*|"
                            r"src/bench/(llama_peer|quantised_model)\.cc)$")

C_HEADERS = {"stdbool.h", "stddef.h", "stdint.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"(?<![\w.~}\])/-])/((root|work|tmp/w)/\w|(home|Users)/\w\w)")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
REGISTRY_HOST = re.compile(r"pypi\.(org)|pythonhosted\.(org)|test\.pypi\b")
NAMED_FILE = re.compile(r"`([\w./*<>{},-]+\.(?:h|cc|cu|cuh|md|py|sh|cmake|txt|supp|json))`")


class Tree:
    """A checkout: the files that are, or would be, under version control."""

    def __init__(self, root, files=None):
        self.root = Path(root)
        self.files = sorted(self._listed() if files is None else files)
        self._text = {}

    def _listed(self):
        try:
            listed = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others",
                                     "--exclude-standard"], capture_output=True, check=True).stdout.decode()
            names = [name for name in listed.split("\0") if name]
        except (OSError, subprocess.CalledProcessError):  # an unpacked archive
            names = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()]
            names = [name for name in names if not name.startswith(("build/", ".cache/", ".git/"))]
        return [name for name in names if (self.root / name).is_file()]

    def text(self, name):
        if name not in self._text:
            self._text[name] = (self.root / name).read_text(encoding="utf-8", errors="replace")
        return self._text[name]

    def lines(self, name):
        return self.text(name).splitlines()

    def sources(self, *folders):
        return [name for name in self.files
                if name.split("/")[0] in folders and Path(name).suffix in SOURCE_SUFFIXES]

    def includes(self, name):
        """Yields (line number, '<' or '"', header)."""
        for number, line in enumerate(self.lines(name), 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found[1], found[2]


def folder_order(tree):
    """A folder of src/ includes only folders before it, by their path from src/."""
    findings = []
    for name in tree.sources("src"):
        parts = name.split("/")
        if len(parts) < 3:
            findings.append(f"{name}:1: a source file directly in src/; put it into one of {', '.join(ORDER)}")
            continue
        folder = parts[1]
        if folder not in ORDER:
            findings.append(f"{name}:1: src/{folder} has no place in the order of folders; the folders are "
                            f"{', '.join(ORDER)}")
            continue
        for number, _, header in tree.includes(name):
            used = header.split("/")[0]
            if "/" in header and used in ORDER and used != folder and ORDER.index(used) > ORDER.index(folder):
                findings.append(f"{name}:{number}: includes {header}, but {folder} comes before {used}; it may use "
                                f"{', '.join(ORDER[:ORDER.index(folder) + 1])}")
            elif (tree.root / name).parent.joinpath(header).is_file() and not (tree.root / "src" / header).is_file():
                findings.append(f"{name}:{number}: includes {header} from its own folder; write "
                                f"{'/'.join(parts[1:-1])}/{header}, the path from src/")
    return findings


def public_headers(tree):
    """A header in include/ uses the standard library and other public headers, nothing else."""
    findings = []
    for name in tree.sources("include"):
        for number, quote, header in tree.includes(name):
            standard = quote == "<" and "/" not in header and (not header.endswith(".h") or header in C_HEADERS)
            public = header.startswith("ltri/") and f"include/{header}" in tree.files
            if not standard and not public:
                findings.append(f"{name}:{number}: includes {header}; a public header includes only ltri/ headers and "
                                "the standard library")
    return findings


def llama_headers(tree):
    """llama.cpp's headers stay in their wrappers, and so do the headers of ours that include them."""
    sources = tree.sources("src", "include", "examples")
    reached = {}  # header of ours -> the header of llama.cpp it brings in
    grew = True
    while grew:
        grew = False
        for name in sources:
            key = name.split("/", 1)[1]
            if key in reached or not name.endswith(".h"):
                continue
            for _, _, header in tree.includes(name):
                brought = header if LLAMA_HEADERS.match(header) else reached.get(header)
                if brought:
                    reached[key] = brought
                    grew = True
                    break
    findings = []
    for name in sources:
        if LLAMA_WRAPPERS.match(name):
            continue
        for number, _, header in tree.includes(name):
            if LLAMA_HEADERS.match(header):
                findings.append(f"{name}:{number}: includes {header} of llama.cpp; only src/text, src/weights/*.cc, "
                                "src/ops/cpu/matmul*, src/engine/sampler*, src/bench/llama_peer.cc and "
                                "src/bench/quantised_model.cc may, go through them")
            elif header in reached:
                findings.append(f"{name}:{number}: includes {header}, which brings in {reached[header]} of llama.cpp; "
                                "declare the type there and include the header in the .cc file")
    return findings


def file_length(tree):
    """No source file is longer than a person reads in one go."""
    findings = []
    for name in tree.sources("src", "include", "tests", "bench", "examples"):
        count = len(tree.lines(name))
        if count > MAX_FILE_LINES:
            findings.append(f"{name}:{count}: {count} lines, at most {MAX_FILE_LINES}; split it by noun or verb")
    return findings


def folder_readmes(tree):
    """Each folder of src/ has a README that is short and names only files that exist."""
    findings = []
    used = {name.split("/")[1] for name in tree.sources("src") if name.count("/") >= 2}
    for folder in sorted(used):
        if f"src/{folder}/README.md" not in tree.files:
            findings.append(f"src/{folder}/README.md:1: missing; say what comes in, what goes out, and which files to "
                            "read in which order")
    for name in tree.files:
        if not name.startswith("src/") or not name.endswith("/README.md"):
            continue
        lines = tree.lines(name)
        if len(lines) > MAX_README_LINES:
            findings.append(f"{name}:{len(lines)}: {len(lines)} lines, at most {MAX_README_LINES}; move detail to docs/")
        places = [(tree.root / name).parent, tree.root / "src", tree.root, tree.root / "include"]
        for number, line in enumerate(lines, 1):
            for named in NAMED_FILE.findall(line):
                if not re.search(r"[<>{}]", named) and not any(_exists(place, named) for place in places):
                    findings.append(f"{name}:{number}: names {named}, which does not exist; paths are from the folder, "
                                    "from src/ or from the top")
    return findings


def _exists(place, named):
    return not named.startswith("/") and any(place.glob(named))


def tidy_text(tree):
    """No path of one machine, no unfinished marks, no registry's host name in any file."""
    findings = []
    rules = [(MACHINE_PATH, "a path of one machine; use a path relative to the project or an option"),
             (UNFINISHED, "an unfinished mark; finish it, or open an issue and leave the code without it"),
             (REGISTRY_HOST, "the host name of a package registry; name the package, pip's settings choose the host")]
    for name in tree.files:
        if name.startswith("data/") or name == "LICENSE" or Path(name).suffix in BINARY_SUFFIXES:
            continue
        for number, line in enumerate(tree.lines(name), 1):
            for pattern, message in rules:
                found = pattern.search(line)
                if found:
                    findings.append(f"{name}:{number}: '{found[0]}' is {message}")
    return findings


RULES = [folder_order, public_headers, llama_headers, file_length, folder_readmes, tidy_text]
