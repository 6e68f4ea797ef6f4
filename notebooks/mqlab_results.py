"""Reads what mqlab writes: a folder of results as pandas tables whose columns have the types that datapackage.json gives.

    results = mqlab_results.sweep("consumer_death")       # runs the sweep, or reads what MQLAB_RESULTS holds
    results = mqlab_results.Results("results/consumer_death")
    results.trials        one row a trial: seed, digest, axes, metrics
    results.summary       one row a point, variant and metric: mean, half_width_95, quantiles
    results.timeseries    long form: run_id, time_s, metric, subject, value
    results.anomalies     what went wrong, row by row
    results.axes          the names of the axes' columns

The program is the one that the environment variable MQLAB names, or that of build/release, or of build/demo.
"""
import functools
import json
import os
import pathlib
import subprocess

import pandas

ROOT = pathlib.Path(__file__).resolve().parent.parent
TYPES = {"string": "string", "integer": "Int64", "number": "float64"}


class Results:
    """A folder of results. Tables are read when they are first asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.package = self._json("datapackage.json")
        self.manifest = self._json("manifest.json")
        self.axes = list(self.manifest["axes"])

    def _json(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _table(self, name):
        resource = next(r for r in self.package["resources"] if r["name"] == name)
        types = {field["name"]: TYPES[field["type"]] for field in resource["schema"]["fields"]}
        # Only an empty field is missing; a text such as "NA" is a name like any other.
        table = pandas.read_csv(self.folder / resource["path"], dtype=types, keep_default_na=False, na_values=[""],
                                encoding=resource["encoding"])
        if list(table.columns) != list(types):
            raise ValueError(f"{resource['path']} has other columns than datapackage.json says")
        return table

    @functools.cached_property
    def trials(self):
        return self._table("trials")

    @functools.cached_property
    def summary(self):
        return self._table("summary")

    @functools.cached_property
    def labelled(self):
        return self._table("labelled")

    @functools.cached_property
    def timeseries(self):
        return self._table("timeseries")

    @functools.cached_property
    def anomalies(self):
        return self._table("anomalies")

    def metric(self, name):
        """The rows of the summary that speak of one metric, in order of the points."""
        return self.summary[self.summary["metric"] == name].reset_index(drop=True)

    def about(self, column):
        """The description of a column of trials.csv, with its unit."""
        trials = next(r for r in self.package["resources"] if r["name"] == "trials")
        field = next(f for f in trials["schema"]["fields"] if f["name"] == column)
        return f"{field['description']} [{field['unit']}]" if "unit" in field else field["description"]

    def replay(self, trial):
        """The line that runs one trial again and compares it with its recorded digest."""
        return f"mqlab replay {os.path.relpath(self.folder, ROOT)} --run {trial['run_id']} --check"


def program():
    """The path of mqlab."""
    if "MQLAB" in os.environ:
        return pathlib.Path(os.environ["MQLAB"]).resolve()
    for build in ("release", "demo"):
        path = ROOT / "build" / build / "experiments" / "mqlab"
        if path.exists():
            return path
    raise FileNotFoundError("mqlab is not built: run tools/demo, or name the program in MQLAB")


def sweep(name, *options):
    """Sweeps experiments/NAME.toml into build/notebooks/results/NAME, or reads MQLAB_RESULTS/NAME when that is set.

    `options` go to `mqlab sweep`. The same sweep gives the same files, byte for byte.
    """
    if "MQLAB_RESULTS" in os.environ:
        return Results(pathlib.Path(os.environ["MQLAB_RESULTS"]) / name)
    out = pathlib.Path("build/notebooks/results") / name
    command = [str(program()), "sweep", f"experiments/{name}.toml", "--out", str(out), "--force", "--quiet", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[1:])}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return Results(ROOT / out)
