"""The examples of docs/methods.md, followed from top to bottom by a shell, as a reader would."""
import os
import re
import subprocess

import pytest

from client import ASMX
from conformance import ROOT

MARK = "@@@ example"


def open_fences(text):
    """Lines of fences that are not closed: what stands in them is no example for anybody."""
    found, opened = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if opened and line != "```":
                found.append(opened)
            opened = None if opened and line == "```" else number
    return found + ([opened] if opened else [])


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md"], ids=lambda p: p.name)
def test_every_fence_is_closed(page):
    assert open_fences(page.read_text(encoding="utf-8")) == []


def examples():
    """(heading, commands) of each sh block."""
    found, heading = [], ""
    for part in re.split(r"(^## .*$)", (ROOT / "docs/methods.md").read_text(encoding="utf-8"), flags=re.M):
        if part.startswith("## "):
            heading = part[3:]
        found += [(heading, block) for block in re.findall(r"^```sh\n(.*?)^```$", part, re.M | re.S)]
    return found


@pytest.fixture
def demo(new_site):
    """A site with the credentials of the demo site."""
    site = new_site()
    for vendor in site.template.VENDORS:
        site.ctl("vendor", "set", vendor, "enabled=true", "user=demo", "password=-", stdin="demo\n")
    site.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin="demo\n")
    site.ctl("property", "set", "strictAuthenticationHttpMethods", "")
    site.ctl("product", "set", "--id", 1, "--version", "1.0", "latest-version=1.0.3",
             "latest-url=https://www.example.com/")
    return site


def test_every_example_works(demo):
    blocks = examples()
    assert len(blocks) >= 6
    script = "set -eu\ncurl() { command curl --fail-with-body -sS \"$@\"; echo; }\n"
    script += "".join("echo '%s %d'\n%s\n" % (MARK, i, block) for i, (_, block) in enumerate(blocks))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "QLM": "http://127.0.0.1:%d%s" % (demo.port, ASMX)})
    outputs = re.split(r"^%s \d+$" % MARK, done.stdout, flags=re.M)[1:]
    assert done.returncode == 0, (blocks[len(outputs) - 1], done.stderr, outputs[-1:])
    assert len(outputs) == len(blocks)
    for (heading, block), output in zip(blocks, outputs):
        assert output.strip(), (heading, block)
        assert "error" not in output.lower(), (heading, block, output)
