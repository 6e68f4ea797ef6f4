"""Executes notebooks, or strips them: tools/run_notebooks calls it.

    execute.py OUT NOTEBOOK…    runs each in its own folder; writes OUT/NAME.ipynb and OUT/NAME/figure-N.png
    execute.py OUT --strip      takes outputs and counts out of the notebooks beside this file
"""
import base64
import pathlib
import sys

import nbclient
import nbformat

SECONDS_PER_CELL = 900


def strip(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)


def figures(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                yield base64.b64decode(png)


def execute(path, out):
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=SECONDS_PER_CELL, kernel_name="python3",
                                     resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    finally:
        out.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, out / path.name)
    folder = out / path.stem
    folder.mkdir(exist_ok=True)
    for old in folder.glob("figure-*.png"):
        old.unlink()
    count = 0
    for count, png in enumerate(figures(notebook), start=1):
        (folder / f"figure-{count}.png").write_bytes(png)
    print(f"{path}: every cell ran; {count} figures in {folder}")


def main():
    out, notebooks = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if notebooks == ["--strip"]:
        for path in sorted(pathlib.Path(__file__).parent.glob("*.ipynb")):
            strip(path)
        return 0
    failed = 0
    for name in notebooks:
        try:
            execute(pathlib.Path(name), out)
        except nbclient.exceptions.CellExecutionError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
