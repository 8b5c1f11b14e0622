"""What the documents show runs as shown."""
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT, SAMPLE


def blocks(path):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S)


@pytest.mark.parametrize("path", ["Python/README.md", "README.md", "docs/embedding.md", "docs/surface.md", "docs/margin.md"])
def test_python_blocks(path, monkeypatch, capsys):
    pytest.importorskip("polars")
    monkeypatch.chdir(SAMPLE)
    names = {}
    for block in blocks(path):
        exec(block, names)
        printed = capsys.readouterr().out
        for shown in re.findall(r"print\(.*?\)\s+# (.+)", block):
            assert shown in printed


def test_commands(tool, tmp_path):
    """A tutorial's commands print the lines that it shows of them."""
    for name in ("Examples", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    text = (ROOT / "docs/tutorial-risk-manager.md").read_text()
    steps = re.findall(r"^```sh\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", text, re.M | re.S)
    assert len(steps) == 7
    environment = {**os.environ, "COLUMNS": "400", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    (tmp_path / "poise").symlink_to(os.environ["POISE_TOOL"])
    for commands, shown in steps:
        printed = subprocess.run(["bash", "-euc", commands], cwd=tmp_path, env=environment, check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        lines = [" ".join(line.split()) for line in printed.splitlines()]
        for line in shown.splitlines():
            assert any(found.startswith(" ".join(line.split())) for found in lines), f"{commands} does not print: {line}"


def test_bulk(tmp_path):
    for module in ("pyarrow", "polars", "duckdb"):
        pytest.importorskip(module)
    subprocess.run([sys.executable, ROOT / "scripts/generate-legs", tmp_path, "--legs", "4000", "--dates", "1", "--strikes", "6"],
                   check=True)
    (tmp_path / "grid.json").write_text(json.dumps({"scenarios": [{"spot": [-0.1, 0.1]}]}))
    names = {}
    for block in blocks("docs/bulk.md"):
        exec(block.replace("/tmp/night", str(tmp_path)).replace("Examples/grids/desk.json", str(tmp_path / "grid.json")), names)
    legs = names["figures"].height
    assert legs == 2000 and names["worst"].columns == ["book", "pnl_usd_01", "pnl_usd_02"]
    assert 0 < names["longs"].num_rows < legs and names["vegas"]
    import pyarrow as pa

    batches = pa.Table.from_batches(names["legs"].to_arrow().to_batches()).to_batches(max_chunksize=300)
    assert pa.Table.from_batches(names["figures_of"](iter(batches)))["pnl_usd_02"].to_pylist() == names["figures"]["pnl_usd_02"].to_list()
    assert names["net"](batches, names["market"]).num_rows == len(set(names["figures"]["book"].to_list()))
