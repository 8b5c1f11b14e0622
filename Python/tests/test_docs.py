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


@pytest.mark.parametrize("path", ["Python/README.md", "README.md", "docs/embedding.md", "docs/surface.md", "docs/margin.md",
                                  "docs/tutorial-market-maker.md"])
def test_python_blocks(path, monkeypatch, capsys, request):
    pytest.importorskip("polars")
    if "poise.command" in (ROOT / path).read_text():
        request.getfixturevalue("tool")
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


@pytest.mark.parametrize("path", sorted((ROOT / "Examples/notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks(path, tool, monkeypatch):
    """Their code runs from top to bottom, and draws."""
    matplotlib = pytest.importorskip("matplotlib")
    notebook = json.loads(path.read_text())
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook["cells"])
    matplotlib.use("Agg")
    monkeypatch.chdir(path.parent)
    names = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert matplotlib.pyplot.get_fignums()
    matplotlib.pyplot.close("all")


def test_the_table_of_hosts_names_what_is_there():
    """Every command, function and type of docs/hosts.md exists."""
    import poise

    text = (ROOT / "docs/hosts.md").read_text()
    header = (ROOT / "CKernels/CPoise/include/poise.h").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 25
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 6, row
        assert all(cells[1:5]) or cells[5], f"a cell is empty without a reason: {row}"
    last = ""
    for name in re.findall(r"`(_?[a-z_0-9]+)`", " ".join(row.split("|")[4] for row in rows)):
        if name.startswith("poise_"):
            last = name
        if name.startswith("_"):
            name = last[: last.rindex("_")] + name
        if name.startswith("poise_"):
            assert re.search(rf"\b{name}\(", header), name
    for name in re.findall(r"`poise\.(\w+)", text):
        assert hasattr(poise, name) or name == "bulk", name
    for kind, name in re.findall(r"`(Book|Chain|Margin|Hedger|Surface)\.(\w+)", " ".join(row.split("|")[5] for row in rows)):
        assert hasattr(getattr(poise, kind), name), f"{kind}.{name}"
