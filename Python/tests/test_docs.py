"""What the documents show runs as shown."""
import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT, SAMPLE


def blocks(path):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S)


@pytest.mark.parametrize("path", ["Python/README.md", "README.md", "docs/embedding.md", "docs/surface.md"])
def test_python_blocks(path, monkeypatch, capsys):
    pytest.importorskip("polars")
    monkeypatch.chdir(SAMPLE)
    names = {}
    for block in blocks(path):
        exec(block, names)
        for shown in re.findall(r"print\(.*?\)\s+# (.+)", block):
            assert shown in capsys.readouterr().out


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
