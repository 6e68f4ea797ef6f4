#!/usr/bin/env python3
"""Tests of the mqlab executable from outside: exit codes, messages, files, signals, full disks.

    MQLAB=build/release/experiments/mqlab tests/experiments/program_test.py [Class[.test]]

Only the standard library. Every test works in a folder of its own.
"""
import csv
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

MQLAB = os.path.abspath(os.environ.get("MQLAB", "build/release/experiments/mqlab"))
ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "experiments"

SMALL = """[scenario]
name = "small"
question = "Does it run?"
duration = "3s"

[kafka]
brokers = 1

[[kafka.topics]]
name = "orders"
partitions = 2

[[producers]]
name = "shop"
to = "orders"
arrivals = { process = "poisson", rate = 100 }

[[groups]]
name = "billing"
topics = ["orders"]
members = 2
service = "1ms"
[groups.config]
auto.offset.reset = "earliest"
"""

SWEEP = SMALL + """
[[variant]]
name = "two"
[[variant]]
name = "three"
set = { "groups.billing.members" = 3 }

[[expect]]
name = "nothing is lost"
metric = "lost"
equals = 0

[sweep]
trials = 5
"producers.shop.arrivals.rate" = [50, 100]
"""

RESULTS = ["trials.csv", "summary.csv", "labelled.csv", "timeseries.csv", "anomalies.csv", "datapackage.json",
           "manifest.json"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mqlab_test_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def mqlab(self, *words, code=0, **options):
        """Runs mqlab in the test's folder and returns what it did; its exit code has to be `code`."""
        done = subprocess.run([MQLAB, *map(str, words)], cwd=options.pop("cwd", self.folder), text=True,
                              capture_output=True, timeout=300, **options)
        self.assertEqual(done.returncode, code, f"mqlab {words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def refused(self, *words, says=""):
        """Exit code 2, nothing on stdout, one message that holds `says`."""
        done = self.mqlab(*words, code=2)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("mqlab: "), done.stderr)
        self.assertIn(says, done.stderr)
        return done.stderr

    def files(self, folder):
        """The byte-stable files of a folder of results, by name; the manifest's replay line loses the folder's name."""
        return {name: re.sub(rb'"mqlab replay \S+ --run', b'"mqlab replay DIR --run',
                             (self.folder / folder / name).read_bytes()) for name in RESULTS}

    def rows(self, folder, name="trials.csv"):
        with open(self.folder / folder / name, newline="") as file:
            return list(csv.DictReader(file))

    def assert_not_whole(self, folder):
        self.assertFalse((self.folder / folder / "manifest.json").exists(), "a manifest stands for a whole folder")
        self.assertEqual([p.name for p in (self.folder / folder).glob("*.part")], [])


class CommandLine(Case):
    def test_without_arguments_it_says_what_one_can_do(self):
        done = self.mqlab(code=2)
        self.assertIn("mqlab run ", done.stderr)
        self.assertIn("mqlab COMMAND --help", done.stderr)

    def test_help_and_version_are_no_errors(self):
        self.assertIn("sweep", self.mqlab("--help").stdout)
        self.assertRegex(self.mqlab("--version").stdout,
                         r"^mqlab \d+\.\d+\.\d+ \(models \d+\), commit (unknown|[0-9a-f]{12}(-dirty)?)\n$")
        for command in ("run", "sweep", "replay", "check", "diff", "list", "new", "export", "import"):
            self.assertIn("Usage: mqlab " + command, self.mqlab(command, "--help").stdout)

    def test_a_word_that_is_no_command_gets_the_nearest(self):
        self.refused("sewep", says="there is no command 'sewep'; did you mean 'sweep'?")
        self.refused("xyzzy", says="allowed: run, sweep,")

    def test_bad_options_are_named(self):
        self.write("s.toml", SMALL)
        self.refused("run", says="scenario is required")
        self.refused("run", "s.toml", "--frob", says="--frob")
        self.refused("run", "s.toml", "--seed", "-1", says="--seed: -1 is below 0")
        self.refused("sweep", "s.toml", "--trials", "-5", says="--trials: -5 is below 0")
        self.refused("run", "s.toml", "--seed", "99999999999999999999", says="--seed")
        self.refused("run", "s.toml", "--seed", "9999999999999999999", says="--seed is too large")
        self.refused("run", "s.toml", "--format", "xml", says="--format")
        self.refused("run", "s.toml", "--trace", "csv", says="--trace needs --out")
        self.refused("run", "s.toml", "--trace", "perfetto", "--out", "o", says="'perfetto'")
        self.refused("run", "s.toml", "--at", "1s", says="--at needs --describe-group")
        self.refused("run", "s.toml", "--describe-group", "biling", says="did you mean 'billing'?")
        describe = ["run", "s.toml", "--describe-group", "billing", "--at"]
        self.refused(*describe, "1 fortnight", says="--at: ")
        self.refused(*describe, "2d", says="the run ends at")
        self.refused("run", "s.toml", "--variant", "bas", says="did you mean 'base'?")
        self.refused("sweep", "s.toml", "-j", "100000", says="-j")
        self.refused("sweep", "s.toml", "--trials", "0", says="--trials must be from 1")
        self.refused("sweep", "s.toml", "--shard", "3/3", says="--shard is I/N")
        self.refused("list", "metrix", says="did you mean 'metrics'?")
        self.refused("export", "nowhere", says="nowhere")
        self.refused("export", ".", "--format", "xml", says="'xml'")

    def test_a_path_that_is_given_twice_is_refused_by_name(self):
        self.write("s.toml", SMALL)
        rate, members = "producers.shop.arrivals.rate", "groups.billing.members"
        self.refused("sweep", "s.toml", "--axis", f"{rate}=1,2", "--axis", f"{members}=1,2", "--axis", f"{rate}=3",
                     says=f"--axis {rate}: this path is given a second time")
        self.refused("run", "s.toml", "--set", f"{rate}=1", "--set", f"{rate}=2",
                     says=f"--set {rate}: this path is given a second time")
        self.refused("sweep", "s.toml", "--set", f"{rate}=1", "--axis", f"{rate}=2,3",
                     says=f"--axis {rate}: this path is given a second time")
        self.mqlab("sweep", "s.toml", "--list", "--axis", f"{rate}=1,2", "--axis", f"{members}=1,2")

    def test_paths_that_are_no_scenario(self):
        self.refused("run", "none.toml", says="cannot open scenario 'none.toml': No such file or directory")
        self.refused("run", ".", says="scenario '.' is a directory")
        self.refused("check", "none.toml", says="No such file")
        self.refused("sweep", "/dev/zero", says="does not end within")

    def test_an_error_says_file_line_column_and_key(self):
        self.write("s.toml", SMALL.replace("members = 2", "membrs = 2"))
        self.refused("run", "s.toml", says="s.toml:21:1: groups.billing.membrs: unknown key; did you mean 'members'?")

    def test_a_bad_point_is_refused_before_any_trial_runs(self):
        self.write("s.toml", SMALL)
        self.refused("sweep", "s.toml", "--axis", "kafka.topics.orders.replication-factor=1,2", "--out", "o",
                     says="2 replicas do not fit on 1 broker")
        self.assertFalse((self.folder / "o").exists())


class Output(Case):
    def setUp(self):
        super().setUp()
        self.write("s.toml", SWEEP)

    def test_a_run_writes_nothing_unless_told_to(self):
        done = self.mqlab("run", "s.toml")
        self.assertEqual(done.stderr, "")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["s.toml"])
        for word in ("verdicts", "lost", "latency [ms]", "digest", "replay: mqlab run s.toml --seed 1"):
            self.assertIn(word, done.stdout)
        self.assertLess(done.stdout.count("\n"), 45, "one screen")

    def test_verbose_shows_every_metric_that_was_measured(self):
        shown = self.mqlab("run", "s.toml", "-v").stdout
        measured = json.loads(self.mqlab("run", "s.toml", "--format", "json").stdout)["metrics"]
        for name, value in measured.items():
            if value is not None and "_latency_" not in name:
                self.assertIn(f"  {name} ", shown)

    def test_json_parses_and_says_what_the_text_says(self):
        run = json.loads(self.mqlab("run", "s.toml", "--seed", "3", "--format", "json").stdout)
        self.assertEqual(run["seed"], 3)
        self.assertEqual(run["metrics"]["lost"], 0)
        self.assertRegex(run["digest"], "^[0-9a-f]{32}$")
        self.assertEqual(run["expectations"], [{"name": "nothing is lost", "met": True, "seen": ""}])
        sweep = json.loads(self.mqlab("sweep", "s.toml", "--out", "o", "--format", "json").stdout)
        self.assertEqual(sweep["trials"], 20)
        self.assertEqual(len(sweep["summary"]), 4)
        summary = {(r["point"], r["variant"], r["metric"]): r for r in self.rows("o", "summary.csv")}
        for cell in sweep["summary"]:
            for name, spread in cell["metrics"].items():
                row = summary[str(cell["point"]), cell["variant"], name]
                self.assertEqual(float(row["mean"]), spread["mean"])

    def test_a_run_as_kafkas_benchmarks_report_it(self):
        plain = json.loads(self.mqlab("run", "s.toml", "--format", "json").stdout)
        told = json.loads(self.mqlab("run", "s.toml", "--perf-test", "--format", "json").stdout)
        self.assertEqual(told["digest"], plain["digest"])
        total = told["perf_test"]["producers"]["shop"][-1]
        self.assertRegex(total, r"^\d+ records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, "
                                r"[\d.]+ ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99.9th.$")
        self.assertEqual(int(total.split()[0]), plain["metrics"]["acknowledged"])
        header = told["perf_test"]["consumer_header"].split(", ")
        rows = [dict(zip(header, row.split(", "))) for row in told["perf_test"]["consumers"].values()]
        self.assertEqual(sum(int(r["data.consumed.in.nMsg"]) for r in rows), plain["metrics"]["processed"])
        text = self.mqlab("run", "s.toml", "--perf-test").stdout
        self.assertIn(total, text)
        self.assertIn("\nstart.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ", text)

    def test_queues_are_shown_as_they_stood_at_a_time(self):
        self.refused("run", "s.toml", "--queues", says="the scenario has no queues")
        self.write("q.toml", """[scenario]
name = "queues"
duration = "2s"
[rabbitmq]
[[rabbitmq.queues]]
name = "jobs"
[[producers]]
name = "shop"
cluster = "rabbitmq"
to = "jobs"
messages = 8
arrivals = { process = "constant", rate = 10 }
""")
        plain = json.loads(self.mqlab("run", "q.toml", "--format", "json").stdout)
        told = json.loads(self.mqlab("run", "q.toml", "--queues", "--at", "1500ms", "--format", "json").stdout)
        self.assertEqual(told["digest"], plain["digest"])
        row = told["queues"][0]["queues"][0]
        self.assertEqual((row["name"], row["type"], row["messages_ready"], row["messages_unacknowledged"], row["consumers"]),
                         ("jobs", "classic", 8, 0, 0))
        self.assertAlmostEqual(row["publish_rate"], 8 / 1.5)
        text = self.mqlab("run", "q.toml", "--queues", "--at", "1500ms").stdout
        self.assertIn("queues at 1.5 s\nname ", text)
        self.assertIn("jobs: 8 ready, and nobody consumes from it", text)
        self.mqlab("run", "q.toml", "--out", "o")
        run = plain["run_id"]
        path = self.mqlab("export", "o", "--run", run, "--format", "openmetrics", "--every", "1500ms").stdout.strip()
        lines = (self.folder / path).read_text().splitlines()
        self.assertIn('rabbitmq_queue_messages_ready{vhost="/",queue="jobs"} 8 1.5', lines)
        self.assertEqual(lines[-1], "# EOF")

    def test_definitions_become_a_scenario_or_nothing(self):
        self.write("d.json", json.dumps({
            "rabbitmq_version": "4.1.3", "users": [{"name": "root", "password_hash": "S3CR3T"}],
            "vhosts": [{"name": "/"}, {"name": "shop"}], "exchanges": [], "bindings": [],
            "queues": [{"name": "jobs", "vhost": "shop", "durable": True, "arguments": {"x-max-length": 5, "x-odd": 1}}]}))
        self.refused("import", "d.json", "--out", "d.toml", says="choose one by --vhost")
        done = self.mqlab("import", "d.json", "--out", "d.toml", "--vhost", "shop")
        self.assertIn('"x-odd" of queue "jobs"', done.stderr)
        text = (self.folder / "d.toml").read_text()
        self.assertNotIn("S3CR3T", text)
        self.assertNotIn("root", text)
        self.mqlab("run", "d.toml")
        self.refused("import", "d.json", "--out", "d.toml", "--vhost", "shop", says="exists already")
        self.write("bad.json", '{"queues": [{"name": "q", "arguments": {"x-max-length": -1}}]}')
        self.refused("import", "bad.json", "--out", "bad.toml", says="bad.json:1:")
        self.assertFalse((self.folder / "bad.toml").exists())
        self.refused("import", "no.json", "--out", "no.toml", says="no.json")

    def test_a_group_is_described_as_it_stood_at_a_time(self):
        plain = json.loads(self.mqlab("run", "s.toml", "--format", "json").stdout)
        look = ["run", "s.toml", "--describe-group", "billing"]
        early, late = json.loads(self.mqlab(*look, "--at", "60s", "--at", "1s", "--format", "json").stdout)[
            "described_groups"]
        self.assertEqual((early["at_s"], early["state"], early["rows"]), (1, "PreparingRebalance", []))
        self.assertEqual((late["at_s"], late["state"]), (plain["end_s"], "Stable"))
        self.assertEqual([r["lag"] for r in late["rows"]], [0, 0])
        self.assertEqual(sum(r["log_end_offset"] for r in late["rows"]), plain["metrics"]["offered"])

        text = self.mqlab(*look).stdout
        self.assertIn(plain["digest"], text)
        rows = text.split(f"billing at {plain['end_s']:.6g} s\n\n")[1].split("\n\n")[0].splitlines()
        self.assertEqual(rows[0].split(), ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG",
                                           "CONSUMER-ID", "HOST", "CLIENT-ID"])
        self.assertEqual([r.split() for r in rows[1:]],
                         [["billing", r["topic"], *(str(r[c]) for c in ("partition", "current_offset",
                                                                        "log_end_offset", "lag")),
                           r["consumer_id"], r["host"], "consumer-billing-1"] for r in late["rows"]])
        self.assertIn("is rebalancing", self.mqlab(*look, "--at", "1s").stdout)

    def test_the_replay_line_of_a_run_gives_the_same_run(self):
        first = json.loads(self.mqlab("run", "s.toml", "--seed", "2", "--variant", "three", "--set",
                                      'producers.shop.arrivals={ process = "constant", rate = 5 }', "--format",
                                      "json").stdout)
        line = first["replay"]
        self.assertTrue(line.startswith("mqlab run "))
        again = subprocess.run(["sh", "-c", line.replace("mqlab", MQLAB, 1) + " --format json"], cwd=self.folder,
                               capture_output=True, text=True)
        self.assertEqual(json.loads(again.stdout)["digest"], first["digest"])

    def test_list_and_digests_write_nothing(self):
        listed = self.mqlab("sweep", "s.toml", "--list").stdout.splitlines()
        self.assertEqual(len(listed), 20)
        self.assertEqual(len({line.split()[0] for line in listed}), 20)
        one = self.mqlab("sweep", "s.toml", "--digests", "-j", "1").stdout
        two = self.mqlab("sweep", "s.toml", "--digests", "-j", "2").stdout
        self.assertEqual(one, two)
        self.assertEqual(len(one.splitlines()), 20)
        again = self.mqlab("sweep", "s.toml", "--digests", "--repeat", "2").stdout
        self.assertEqual(again, "".join(line + line for line in one.splitlines(keepends=True)))
        self.assertEqual([p.name for p in self.folder.iterdir()], ["s.toml"])

    def test_a_list_is_json_on_demand(self):
        listed = json.loads(self.mqlab("sweep", "s.toml", "--list", "--format", "json").stdout)
        text = self.mqlab("sweep", "s.toml", "--list").stdout.splitlines()
        self.assertEqual([[t["run_id"], str(t["point"]), t["variant"], str(t["seed"])] for t in listed],
                         [line.split()[:4] for line in text])
        self.assertEqual(listed[-1]["axes"], {"producers.shop.arrivals.rate": "100"})

    def test_a_list_names_the_runs_that_the_sweep_makes(self):
        listed = [line.split()[:4] for line in self.mqlab("sweep", "s.toml", "--list").stdout.splitlines()]
        self.mqlab("sweep", "s.toml", "--out", "o")
        rows = [[r["run_id"], r["point"], r["variant"], r["seed"]] for r in self.rows("o")]
        self.assertEqual(rows, listed)

    def test_a_reader_that_leaves_is_no_failure(self):
        for command in (["list", "kafka"], ["run", "s.toml"], ["sweep", "s.toml", "--out", "o"]):
            run = subprocess.Popen([MQLAB, *command], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            run.stdout.close()
            self.assertEqual((run.wait(), run.stderr.read()), (0, b""))
            run.stderr.close()
        self.assertTrue((self.folder / "o/manifest.json").exists())

    def test_a_full_or_closed_standard_output(self):
        for words in (["list", "kafka"], ["--help"], ["--version"], ["sweep", "--help"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([MQLAB, *words], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr), (2, "mqlab: the standard output cannot be written\n"))
        done = subprocess.run(["sh", "-c", f"{MQLAB} sweep s.toml --out o >&-"], cwd=self.folder)
        self.assertIn(done.returncode, (0, 2))
        with sqlite3.connect(self.folder / "o/results.sqlite") as store:
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_progress_and_results_go_apart(self):
        done = self.mqlab("sweep", "s.toml", "--out", "o")
        self.assertEqual(done.stderr, "")  # no terminal: no progress
        self.assertIn("nothing is lost" if "FAIL" in done.stdout else "expectations hold", done.stdout)

    def test_a_trace_is_written_in_order_of_record_number(self):
        self.mqlab("run", "s.toml", "--out", "o", "--trace", "csv")
        rows = self.rows("o", "trace.csv")
        self.assertEqual([int(r["record"]) for r in rows], list(range(1, len(rows) + 1)))
        self.assertIn("offered", {r["kind"] for r in rows})

    def test_new_writes_a_scenario_that_runs_and_overwrites_none(self):
        self.mqlab("new", "mine")
        self.mqlab("run", "mine.toml")
        self.refused("new", "mine", says="mine.toml: exists already")
        self.refused("new", "../mine", says="letters, digits")

    def test_diff_says_where_two_runs_differ(self):
        same = self.mqlab("diff", "s.toml")
        self.assertIn("are the same run", same.stdout)
        other = self.mqlab("diff", "s.toml", "--right-seed", "2", code=1).stdout
        self.assertIn("offered", other)
        self.mqlab("diff", "s.toml", "--right-variant", "three", code=1)
        self.refused("diff", "s.toml", "--right-variant", "x", says="there is no variant 'x'")

    def test_export_gives_one_value_a_row(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        self.mqlab("export", "o")
        long_form = {(r["run_id"], r["metric"]): r["value"] for r in self.rows("o", "metrics_long.csv")}
        for row in self.rows("o"):
            self.assertEqual(long_form[row["run_id"], "offered"], row["offered"])

    def test_export_gives_labelled_metrics_too(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        path = self.folder / "o/labelled.csv"
        written = path.read_bytes()
        path.unlink()
        self.assertIn("o/labelled.csv\n", self.mqlab("export", "o").stdout)
        self.assertEqual(path.read_bytes(), written)

    def test_a_trial_is_exported_as_kafka_exporter_would_have_shown_it(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        one = ["--point", "0", "--variant", "two", "--seed", "1"]
        path = self.mqlab("export", "o", *one, "--format", "openmetrics", "--every", "100ms").stdout.strip()
        lines = (self.folder / path).read_text().splitlines()
        self.assertEqual(lines[-1], "# EOF")
        families, series = [], {}
        for line in lines[:-1]:
            if line.startswith("# TYPE"):
                families.append(line.split()[2])
            elif not line.startswith("#"):
                name, labels, value, at = re.fullmatch(r"(\w+)(?:{(.*)})? (-?\d+) ([0-9.]+)", line).groups()
                self.assertEqual(name, families[-1])  # one family after another
                series.setdefault((name, labels), []).append((float(at), int(value)))
        self.assertEqual(len(set(families)), len(families))
        for points in series.values():
            self.assertEqual(points, sorted(points))
        times = [t for t, _ in series["kafka_brokers", None]]
        self.assertEqual(times, [i / 10 for i in range(len(times))])
        trial = next(r for r in self.rows("o") if (r["point"], r["variant"], r["seed"]) == ("0", "two", "1"))
        last = {key: points[-1][1] for key, points in series.items()}
        ends = [last["kafka_topic_partition_current_offset", f'partition="{p}",topic="orders"'] for p in (0, 1)]
        self.assertEqual(sum(ends), int(trial["stored"]))
        self.assertEqual(last["kafka_consumergroup_members", 'consumergroup="billing"'], 2)
        self.assertEqual(last["kafka_broker_info", 'address="kafka/0:9092",id="0"'], 1)
        of_topic = 'consumergroup="billing",topic="orders"'
        self.assertEqual(last["kafka_consumergroup_lag_sum", of_topic],
                         sum(ends) - last["kafka_consumergroup_current_offset_sum", of_topic])

    def test_a_queue_of_sqs_is_exported_as_cloudwatch_shows_it(self):
        self.write("q.toml", """[scenario]
name = "q"
duration = "10s"
[sqs]
[[sqs.queues]]
name = "jobs"
DelaySeconds = 2
[[producers]]
name = "shop"
cluster = "sqs"
to = "jobs"
arrivals = { process = "constant", rate = 1 }
messages = 5
[[groups]]
name = "workers"
cluster = "sqs"
service = { distribution = "constant", value = "100s" }
sqs = { queue = "jobs", WaitTimeSeconds = 20, VisibilityTimeout = 1000 }
""")
        self.mqlab("sweep", "q.toml", "--trials", "1", "--out", "q")
        path = self.mqlab("export", "q", "--format", "openmetrics", "--every", "4500ms").stdout.strip()
        text = (self.folder / path).read_text()
        self.assertEqual(text.splitlines()[-1], "# EOF")
        values = {(name, float(at)): float(value) for name, value, at in
                  re.findall(r'^aws_sqs_(\w+)\{job="aws_sqs",queue_name="jobs"\} (\S+) (\S+)$', text, re.M)}
        # Sent at 1 to 5 s; the worker has the first that is visible.
        self.assertEqual(values["number_of_messages_sent_sum", 4.5], 4)
        self.assertEqual(values["approximate_number_of_messages_not_visible_average", 4.5], 1)
        self.assertEqual(values["approximate_number_of_messages_visible_average", 4.5], 1)
        self.assertEqual(values["approximate_number_of_messages_delayed_average", 4.5], 2)
        self.assertAlmostEqual(values["approximate_age_of_oldest_message_maximum", 4.5], 3.5, delta=0.01)
        self.assertEqual(values["number_of_messages_sent_sum", 9.0], 1)
        self.assertEqual(values["number_of_messages_received_sum", 9.0], 0)
        self.assertEqual(values["approximate_number_of_messages_visible_average", 9.0], 4)

    def test_what_openmetrics_cannot_show_is_refused(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        self.refused("export", "o", "--format", "openmetrics", says="20 are meant: choose one by --run")
        self.refused("export", "o", "--seed", "1", says="takes no --run, --point")
        one = ["export", "o", "--format", "openmetrics", "--point", "0", "--variant", "two", "--seed", "1"]
        self.refused(*one, "--every", "0s", says="--every must be more than 0")
        self.refused(*one, "--every", "often", says="--every: ")
        self.refused(*one, "--every", "1ns", says="more than 1000000 scrapes")
        path = self.folder / "o/manifest.json"
        path.write_text(path.read_text().replace('"rate": 50', '"rate": 51'))
        self.refused(*one, says="is not the recorded one")

    def test_a_commit_is_stamped_where_the_source_is_a_checkout(self):
        if not shutil.which("cmake") or not shutil.which("git"):
            self.skipTest("needs cmake and git")
        source, output = self.folder / "source", self.folder / "commit.cpp"
        source.mkdir()

        def stamped():
            subprocess.run(["cmake", "-D", f"SOURCE={source}", "-D", f"OUTPUT={output}", "-P",
                            str(ROOT / "cmake/commit.cmake")], check=True)
            return re.search('return "(.*)";', output.read_text()).group(1)

        def git(*words):
            subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words], cwd=source, check=True,
                           stdout=subprocess.DEVNULL)

        self.assertEqual(stamped(), "unknown")
        (source / "file").write_text("1")
        git("init", "-q")
        self.assertEqual(stamped(), "unknown")  # no commit yet
        git("add", "file")
        git("commit", "-q", "-m", "one")
        self.assertRegex(stamped(), "^[0-9a-f]{12}$")
        before = output.stat().st_mtime_ns
        stamped()
        self.assertEqual(output.stat().st_mtime_ns, before)  # what has not changed is not compiled again
        (source / "file").write_text("2")
        self.assertRegex(stamped(), "^[0-9a-f]{12}-dirty$")
        source = source / "below"  # a tarball inside somebody's checkout
        source.mkdir()
        self.assertEqual(stamped(), "unknown")

    def test_a_manifest_names_the_commit_and_a_line_that_replays(self):
        self.mqlab("run", "s.toml", "--out", "elsewhere/one")
        manifest = json.loads((self.folder / "elsewhere/one/manifest.json").read_text())
        self.assertTrue(self.mqlab("--version").stdout.endswith(f", commit {manifest['commit']}\n"))
        line = manifest["replay"]
        self.assertRegex(line, "^mqlab replay elsewhere/one --run [0-9a-f]{16} --check$")
        self.assertIn("the same, bit for bit", self.mqlab(*line.split()[1:]).stdout)

    def test_scenarios_with_blanks_and_quotes_in_their_path(self):
        name = "it's a scenario.toml"
        self.write(name, SMALL)
        line = json.loads(self.mqlab("run", name, "--format", "json").stdout)["replay"]
        again = subprocess.run(["sh", "-c", line.replace("mqlab", MQLAB, 1)], cwd=self.folder, capture_output=True)
        self.assertEqual(again.returncode, 0, again.stderr)


class Lists(Case):
    def names(self, what):
        return [line.split()[0] for line in self.mqlab("list", what).stdout.splitlines()
                if line and not line.startswith(" ") and not line.endswith(":")]

    def test_every_list_that_is_named_exists(self):
        lines = self.mqlab("list", cwd=ROOT).stdout.splitlines()
        names = [re.match(r"mqlab list (\S+)", line).group(1) for line in lines]
        self.assertGreaterEqual(len(names), 12)
        for name in names:
            self.assertTrue(self.mqlab("list", name, cwd=ROOT).stdout)

    def test_every_metric_can_be_expected(self):
        expectations = "".join(f'[[expect]]\nname = "{m}"\nmetric = "{m}"\nmin = -1e18\nper = "point"\n'
                               for m in self.mqlab("list", "metrics").stdout.split("\n\n")[0].split("\n")
                               for m in m.split()[:1])
        self.write("s.toml", SMALL + expectations)
        self.mqlab("sweep", "s.toml", "--list")

    def test_every_fault_is_a_kind_and_its_parameters_are_keys(self):
        kind, wanted = None, {}
        for line in self.mqlab("list", "faults").stdout.splitlines():
            if line.startswith("    "):
                if kind:
                    wanted[kind].append(line.split()[0])
            elif line and not line.endswith(":"):
                kind = line.split()[0]
                wanted[kind] = []
            else:
                kind = None
        self.assertGreaterEqual(len(wanted), 12)
        values = {"other": '"kafka/0"', "one_way": "true", "probability": "0.5", "delay": '"5ms"',
                  "bandwidth": '"1Mbit/s"', "gap": '"1s"', "partitions": "4", "brokers": '["kafka/1"]',
                  "client": '"shop"', "permissive": "false", "throttle": "1000000", "offset": "10",
                  "older_than": '"1s"', "version": '"first"', "messages": "2",
                  "factor": "4", "ahead": '"1h"', "behind": '"1s"', "config": "{ min.insync.replicas = 1 }"}
        targets = {"response-loss": "kafka/0", "power-loss": "kafka/0", "grow": "orders", "create-topic": "orders",
                   "reassign": "orders",
                   "elect-preferred-leaders": "orders", "delete-records": "orders", "disk-slow": "kafka/0",
                   "disk-stall": "kafka/0", "disk-full": "kafka/0", "disk-loss": "kafka/0", "failover": "billing",
                   "wrong-schema": "shop", "clock-skew": "kafka/0", "alter-config": "orders",
                   "elect-unclean-leaders": "orders", "deny-delivery": "to-desk"}
        for kind, parameters in wanted.items():
            lines = "".join(f"{p} = {values[p]}\n" for p in parameters)
            target = targets.get(kind, "billing/1")
            small = SMALL.replace("brokers = 1", "brokers = 2") if kind == "reassign" else SMALL
            if kind == "failover":
                small = SMALL.replace("members = 2", 'members = 2\nfailover = { cluster = "kafka" }')
            if kind == "wrong-schema":
                small = SMALL.replace('to = "orders"', 'to = "orders"\nschema = { version = "first" }', 1)
                small += ('[[subjects]]\nname = "orders-value"\n[[subjects.versions]]\nname = "first"\n'
                          'fields = [{ name = "id" }]\n')
            if kind == "deny-delivery":
                small += ('[[sns.topics]]\nname = "news"\n[[sns.subscriptions]]\nname = "to-desk"\ntopic = "news"\n'
                          'endpoint = "desk"\n[[sqs.queues]]\nname = "desk"\n')
            orders = ("grow", "create-topic", "reassign", "elect-preferred-leaders", "delete-records",
                      "failover", "wrong-schema", "alter-config", "elect-unclean-leaders")
            lasts = "" if kind in orders else 'for = "1s"\n'
            if kind == "response-loss":
                lines = lines.replace("kafka/0", "billing/1")
            self.write("s.toml", small + f'[[faults]]\nkind = "{kind}"\ntarget = "{target}"\nat = "1s"\n' + lasts + lines)
            self.mqlab("run", "s.toml")

    def test_every_step_can_be_waited_for(self):
        targets = {"member": "billing/0", "producer": "shop", "broker": "kafka/0", "service": "desk",
                   "relay": "carrier", "database": "desk-db"}
        desk = ('[[databases]]\nname = "desk-db"\n[[databases]]\nname = "queue-db"\n[[services]]\nname = "desk"\n'
                'database = "desk-db"\narrivals = { process = "poisson", rate = 20 }\nbegins = "asked"\npublish = HOW\n'
                '[[relays]]\nname = "carrier"\ndatabase = "desk-db"\nto = "orders"\n')
        for line in self.mqlab("list", "steps").stdout.splitlines():
            step, subject = line.split()[:2]
            small = SMALL.replace("members = 2", "members = 2\neffect = {}")
            if step == "id-recorded":
                small = SMALL.replace("members = 2", 'members = 2\neffect = { processed_ids = "before-effect" }')
            if step in ("offsets-added", "end-txn-sent", "transaction-ended", "transaction-prepared"):
                small = SMALL.replace("members = 2", 'members = 2\ncommit = "in-transaction"\ntransform = { to = "bills" }')
                small = small.replace("[[producers]]", '[[kafka.topics]]\nname = "bills"\npartitions = 2\n\n[[producers]]')
                small = small.replace('to = "orders"', 'to = "orders"\ntransactions = { every = "100ms" }')
            if subject in ("service", "relay", "database"):
                how = '"outbox"'
                if step == "event-acknowledged":
                    how = '"after-commit"\nto = "orders"'
                if step in ("prepare-sent", "votes-collected", "decision-recorded", "vote-given", "participant-asked",
                            "participant-told"):
                    how = '"two-phase-commit"\nqueue = "queue-db"'
                small += desk.replace("HOW", how)
            self.write("s.toml", small + f'[[faults]]\nkind = "pause"\ntarget = "{targets[subject]}"\nfor = "1ms"\n'
                       f'when = {{ step = "{step}" }}\n')
            self.mqlab("run", "s.toml")

    def test_every_modelled_kafka_key_takes_its_default_and_every_other_is_refused_by_name(self):
        headers = {"broker": "[kafka.config]\n", "topic": "config.", "producer": "[producers.config]\n",
                   "consumer": "[groups.config]\n"}
        refused = taken = 0
        for line in self.mqlab("list", "kafka").stdout.splitlines():
            scope, key, kind, default = line.split()[:4]
            modelled = " refused: " not in line
            if default in ("null", "modelled", "refused:"):
                continue
            number = re.fullmatch(r"-?[0-9.]+|true|false", default)
            value = default if number else f'"{default}"'
            text = SMALL.replace("brokers = 1", "brokers = 3")  # so many copies of offsets are the default
            if scope == "mirror":
                text += (f'[[clusters]]\nname = "west"\n[[mirrors]]\nname = "mm2"\nto = "west"\ntopics = ["orders"]\n'
                         f'[mirrors.config]\n{key} = {value}\n')
            elif scope == "topic":
                text = text.replace("partitions = 2", f"partitions = 2\nconfig.{key} = {value}")
            elif scope == "consumer":
                text = text.replace('auto.offset.reset = "earliest"\n', "") + f"{key} = {value}\n"
                if key.startswith("share."):
                    text = text.replace("members = 2", 'members = 2\ntype = "share"')
            elif scope == "producer":
                text = text.replace("[[groups]]", f"[producers.config]\n{key} = {value}\n[[groups]]")
            elif scope == "librdkafka-producer":
                own = f'client = "librdkafka"\n[producers.config]\n{key} = {value}\n'
                text = text.replace("[[groups]]", own + "[[groups]]")
            elif scope == "librdkafka-consumer":
                text = text.replace("members = 2", 'members = 2\nclient = "librdkafka"')
                text = text.replace('auto.offset.reset = "earliest"\n', "") + f"{key} = {value}\n"
            elif scope == "streams":
                own = f'[groups.streams]\nchangelog = "bills"\n[groups.streams.config]\n{key} = {value}\n'
                text = text.replace("[groups.config]\n", own + "[groups.config]\n")
                text = text.replace("[[producers]]", '[[kafka.topics]]\nname = "bills"\npartitions = 2\n\n[[producers]]')
            else:
                text = text.replace("[[kafka.topics]]", f"[kafka.config]\n{key} = {value}\n[[kafka.topics]]")
            self.write("s.toml", text)
            if modelled:
                taken += 1
                self.mqlab("sweep", "s.toml", "--list")
            elif refused < 40:
                refused += 1
                self.refused("sweep", "s.toml", "--list", says=f"config.{key}: Kafka has this {scope} setting")
        self.assertGreater(taken, 40)
        self.assertGreater(refused, 10)

    def test_the_schema_is_json_and_knows_every_key(self):
        schema = json.loads(self.mqlab("list", "schema").stdout)

        def knows(node, path):
            for part in path:
                node = node.get("items", node)["properties"].get(part)
                if node is None:
                    return False
            return True

        for key in self.names("keys"):
            self.assertTrue(knows(schema, key.split(".")), key)

    def test_every_scenario_of_the_catalogue_is_listed(self):
        listed = {Path(line.split()[0]).name for line in self.mqlab("list", "scenarios", cwd=ROOT).stdout.splitlines()}
        self.assertEqual(listed, {p.name for p in CATALOGUE.glob("*.toml")})
        self.refused("list", "scenarios", says="there is no scenario in experiments/")


class Damage(Case):
    """Truncated and mangled catalogue files: never a signal, always exit 0 or 2, one message."""

    def survives(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        done = subprocess.run([MQLAB, "sweep", name, "--list", "--trials", "1"], cwd=self.folder, capture_output=True,
                              timeout=60)
        self.assertIn(done.returncode, (0, 2), (name, done.stderr[-500:]))
        message = done.stderr.decode(errors="replace")
        if done.returncode == 2:
            self.assertRegex(message, r"^mqlab: [^\n]+\n$")
            self.assertNotIn("fault of mqlab", message)
            self.assertNotIn("exception", message)
            self.assertEqual(done.stdout, b"")
        else:
            self.assertEqual(message, "")

    def test_truncated(self):
        for path in sorted(CATALOGUE.glob("*.toml")):
            data = path.read_bytes()
            for cut in range(0, len(data), 50):
                self.survives(f"{path.stem}_{cut}.toml", data[:cut])

    def test_flipped_bytes(self):
        dice = random.Random(1)
        for path in sorted(CATALOGUE.glob("*.toml")):
            for n in range(15):
                data = bytearray(path.read_bytes())
                for _ in range(1 + n % 3):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                self.survives(f"{path.stem}_{n}.toml", bytes(data))

    def test_exchanged_words(self):
        dice = random.Random(2)
        for path in sorted(CATALOGUE.glob("*.toml")):
            for n in range(15):
                words = re.split(r"(\s+)", path.read_text())
                a, b = dice.randrange(0, len(words), 2), dice.randrange(0, len(words), 2)
                words[a], words[b] = words[b], dice.choice([words[a], "-1", '""', "1e308", "9223372036854775807", "[]", "{}"])
                self.survives(f"{path.stem}_{n}.toml", "".join(words).encode())


class Results(Case):
    def setUp(self):
        super().setUp()
        self.write("s.toml", SWEEP)

    def test_files_are_the_same_to_the_byte_for_any_number_of_threads(self):
        for threads in (1, 2, 4):
            self.mqlab("sweep", "s.toml", "--out", f"j{threads}", "-j", threads)
        self.assertEqual(self.files("j1"), self.files("j2"))
        self.assertEqual(self.files("j1"), self.files("j4"))
        self.assertEqual(len(self.rows("j1")), 20)

    def test_shards_together_are_the_whole(self):
        self.mqlab("sweep", "s.toml", "--out", "whole")
        self.mqlab("sweep", "s.toml", "--out", "parts", "--shard", "0/3")
        self.assert_not_whole("parts")
        self.mqlab("sweep", "s.toml", "--out", "parts", "--shard", "2/3", "--resume")
        self.mqlab("sweep", "s.toml", "--out", "parts", "--resume")
        self.assertEqual(self.files("whole"), self.files("parts"))

    def test_a_killed_sweep_resumes_to_the_same_bytes(self):
        self.write("long.toml", SWEEP.replace("trials = 5", "trials = 60"))
        self.mqlab("sweep", "long.toml", "--out", "whole")
        dice = random.Random(int(time.time()))
        for n in range(4):
            shutil.rmtree(self.folder / "killed", ignore_errors=True)
            run = subprocess.Popen([MQLAB, "sweep", "long.toml", "--out", "killed", "-j", "2"], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0.02, 0.6))
            run.kill()
            run.wait()
            self.mqlab("sweep", "long.toml", "--out", "killed", "--resume")
            self.assertEqual(self.files("whole"), self.files("killed"))

    def test_the_shard_that_completes_a_folder_writes_its_tables(self):
        self.mqlab("sweep", "s.toml", "--out", "whole")
        self.assertIn("10 of all 20 trials", self.mqlab("sweep", "s.toml", "--out", "parts", "--shard", "0/2").stdout)
        self.refused("sweep", "s.toml", "--out", "parts", "--shard", "1/2", says="--resume goes on")
        self.assert_not_whole("parts")
        self.mqlab("sweep", "s.toml", "--out", "parts", "--shard", "1/2", "--resume")
        self.assertEqual(self.files("whole"), self.files("parts"))

    def test_shards_of_several_folders_are_imported_into_one(self):
        self.mqlab("sweep", "s.toml", "--out", "whole")
        self.mqlab("sweep", "s.toml", "--out", "a", "--shard", "0/2")
        self.mqlab("sweep", "s.toml", "--out", "b", "--shard", "1/2")
        self.assertIn("20 trials", self.mqlab("import", "a", "b", "--out", "both").stdout)
        self.mqlab("sweep", "s.toml", "--out", "both", "--resume")
        self.assertEqual(self.files("whole"), self.files("both"))
        self.refused("import", "a", "b", "--out", "a", says="a: is the folder of --out")
        self.refused("import", "a", "none", "--out", "c", says="none/results.sqlite")
        self.write("t.toml", SWEEP.replace('"3s"', '"4s"'))
        self.mqlab("sweep", "t.toml", "--out", "other")
        self.refused("import", "a", "other", "--out", "c", says="a and other hold different sweeps")
        self.refused("import", "a", "--out", "other", says="holds results of another scenario")
        with sqlite3.connect(self.folder / "b/results.sqlite") as store:
            store.execute("UPDATE trials SET digest = 'x'")
        self.refused("import", "b", "--out", "both", says="has another digest here")

    def test_labelled_metrics_add_up_to_the_run_s(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        labelled = {}
        for row in self.rows("o", "labelled.csv"):
            self.assertIn(row["variant"], ("two", "three"))
            labelled.setdefault((row["run_id"], row["metric"]), {})[row["group"], row["subject"]] = float(row["value"])
        for trial in self.rows("o"):
            processed = labelled[trial["run_id"], "processed"]
            self.assertEqual(processed["billing", ""], float(trial["processed"]))
            members = {s for g, s in processed if s}
            self.assertEqual(members, {f"billing/{n}" for n in range(2 if trial["variant"] == "two" else 3)})
            committed = labelled[trial["run_id"], "committed_records"]
            self.assertEqual(set(committed), {("billing", "orders/0"), ("billing", "orders/1")})
            self.assertEqual(sum(committed.values()), float(trial["committed_records"]))

    def test_metrics_can_be_asked_for_in_sql(self):
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "2")
        self.mqlab("sweep", "s.toml", "--out", "o", "--resume")
        with sqlite3.connect(self.folder / "o/results.sqlite") as store:
            values = dict(((r, m), v) for r, m, v in store.execute("SELECT run_id, metric, value FROM metrics"))
            joined = store.execute("SELECT count(*) FROM trials JOIN metrics USING (run_id) WHERE metric = 'lost'")
            self.assertEqual(joined.fetchone(), (20,))
        for row in self.rows("o"):
            for name in ("offered", "e2e_latency_p99_ms"):
                self.assertEqual(values[row["run_id"], name], float(row[name]))
            self.assertNotIn((row["run_id"], "unavailability_max_s"), values)  # nothing to measure

    def test_a_store_that_was_killed_before_it_had_tables_is_taken(self):
        for words in (["sweep"], ["sweep", "--resume"], ["run"]):
            shutil.rmtree(self.folder / "o", ignore_errors=True)
            (self.folder / "o").mkdir()
            self.write("o/results.sqlite", "")
            self.mqlab(words[0], "s.toml", "--out", "o", *words[1:])

    def test_a_store_that_was_killed_in_the_middle_of_a_write_is_rolled_back(self):
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "2")
        store, journal = self.folder / "o/results.sqlite", self.folder / "o/results.sqlite-journal"
        db = sqlite3.connect(store, isolation_level=None)
        db.execute("PRAGMA cache_size = 1")  # so that changes reach the file before the end
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE trials SET chain = zeroblob(100000)")
        half = store.read_bytes(), journal.read_bytes()
        db.execute("ROLLBACK")
        db.close()
        store.write_bytes(half[0])
        journal.write_bytes(half[1])
        self.mqlab("sweep", "s.toml", "--out", "o", "--resume")
        self.assertIn("20 of 20 trials are the same", self.mqlab("replay", "o", "--check").stdout)

    def test_common_random_numbers_every_point_has_the_same_seeds_and_arrivals(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        offered = {}
        for row in self.rows("o"):
            offered.setdefault((row["point"], row["seed"]), set()).add(row["offered"])
        for values in offered.values():
            self.assertEqual(len(values), 1)  # both variants meet the same arrivals
        seeds = {}
        for row in self.rows("o"):
            seeds.setdefault((row["point"], row["variant"]), []).append(row["seed"])
        self.assertEqual(set(map(tuple, seeds.values())), {("1", "2", "3", "4", "5")})

    def test_a_summary_is_computed_from_the_trials(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        t_975_4 = 2.7764451051977987
        cells = {}
        for row in self.rows("o"):
            cells.setdefault((row["point"], row["variant"]), []).append(float(row["e2e_latency_mean_ms"]))
        for row in self.rows("o", "summary.csv"):
            if row["metric"] != "e2e_latency_mean_ms":
                continue
            values = cells[row["point"], row["variant"]]
            mean = sum(values) / 5
            half = t_975_4 * (sum((v - mean) ** 2 for v in values) / 4 / 5) ** 0.5
            self.assertAlmostEqual(float(row["mean"]), mean, places=9)
            self.assertAlmostEqual(float(row["half_width_95"]), half, places=9)

    def test_resuming_another_scenario_is_refused_and_leaves_the_results(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        before = self.files("o")
        self.write("s.toml", SWEEP.replace('"3s"', '"4s"'))
        self.refused("sweep", "s.toml", "--out", "o", "--resume", says="holds results of another scenario")
        self.assertEqual(self.files("o"), before)

    def test_more_trials_can_be_added_and_fewer_asked_for(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "7", "--resume")
        self.mqlab("sweep", "s.toml", "--out", "p", "--trials", "7")
        self.assertEqual(self.files("o"), self.files("p"))
        self.mqlab("sweep", "s.toml", "--out", "o", "--resume")
        self.assertEqual(len(self.rows("o")), 20)

    def test_finished_work_is_dropped_by_force_alone(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        before = self.files("o")
        self.refused("sweep", "s.toml", "--trials", "1", "--out", "o",
                     says="o: holds 20 finished trials; --resume goes on with the same sweep, --force replaces")
        self.refused("run", "s.toml", "--out", "o", says="o: holds 20 finished trials; choose another --out, or --force")
        self.write("t.toml", SWEEP.replace('"3s"', '"4s"'))
        self.refused("sweep", "t.toml", "--out", "o", "--resume", says="or replace them with --force")
        self.refused("sweep", "s.toml", "--out", "o", "--resume", "--force", says="--force")
        self.assertEqual(self.files("o"), before)
        self.mqlab("run", "s.toml", "--out", "o", "--force")
        self.assertEqual(len(self.rows("o")), 1)

    def test_the_same_run_again_takes_the_place_of_its_results(self):
        self.mqlab("run", "s.toml", "--out", "o")
        self.mqlab("run", "s.toml", "--out", "o", "--trace", "csv")
        self.refused("run", "s.toml", "--out", "o", "--seed", "2", says="o: holds 1 finished trial; ")

    def test_what_others_wrote_is_not_written_over(self):
        (self.folder / "o").mkdir()
        self.write("o/summary.csv", "mine")
        for words in (["sweep"], ["sweep", "--resume"], ["run"]):
            self.refused(words[0], "s.toml", "--out", "o", *words[1:],
                         says="o: holds no results of mqlab but o/summary.csv; ")
            found = [(p.name, p.read_text()) for p in (self.folder / "o").iterdir()]
            self.assertEqual(found, [("summary.csv", "mine")])
        self.write("o/notes", "mine")
        self.refused("sweep", "s.toml", "--out", "o", says="o: holds no results of mqlab but o/notes and more; ")
        self.mqlab("sweep", "s.toml", "--out", "o", "--force")
        self.assertEqual((self.folder / "o/notes").read_text(), "mine")

    def test_a_scenario_s_own_folder_goes_on_with_the_same_sweep(self):
        self.mqlab("sweep", "s.toml", "--trials", "2")
        done = self.mqlab("sweep", "s.toml")
        self.assertEqual(done.stderr, "results/small: 8 of 20 trials are there already; --force runs them again\n")
        self.assertEqual(self.mqlab("sweep", "s.toml", "--trials", "1", "--quiet").stderr, "")
        self.mqlab("sweep", "s.toml", "--out", "p")
        self.mqlab("sweep", "s.toml", "--quiet")
        self.assertEqual(self.files("results/small"), self.files("p"))
        self.assertEqual(self.mqlab("sweep", "s.toml", "--force").stderr, "")
        self.write("s.toml", SWEEP.replace('"3s"', '"4s"'))
        self.refused("sweep", "s.toml", says="holds results of another scenario")
        self.mqlab("sweep", "s.toml", "--force")

    def test_a_sweep_by_force_starts_anew(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        self.write("s.toml", SWEEP.replace('"3s"', '"4s"'))
        self.mqlab("sweep", "s.toml", "--out", "o", "--force")
        self.mqlab("sweep", "s.toml", "--out", "p")
        self.assertEqual(self.files("o"), self.files("p"))

    def test_a_store_that_is_damaged_is_refused(self):
        self.mqlab("sweep", "s.toml", "--out", "o")
        store = self.folder / "o/results.sqlite"
        data = store.read_bytes()
        for name, damaged in (("text", b"x" * 5000), ("head", b"x" * 100 + data[100:]), ("cut", data[: len(data) // 2])):
            with self.subTest(name):
                store.write_bytes(damaged)
                self.refused("sweep", "s.toml", "--out", "o", "--resume", says="o/results.sqlite: ")
                self.refused("replay", "o", "--check", says="o/")
        store.write_bytes(data)
        with sqlite3.connect(store) as db:
            db.execute("UPDATE trials SET metrics = x'0011' WHERE seed = 2")
        self.refused("sweep", "s.toml", "--out", "o", "--resume", says="is damaged")

    def test_a_store_of_an_earlier_form_is_refused(self):
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "1")
        with sqlite3.connect(self.folder / "o/results.sqlite") as store:
            store.execute("PRAGMA user_version = 1")
        for words in (["sweep", "s.toml", "--out", "o", "--resume"], ["replay", "o"]):
            self.refused(*words, says="o/results.sqlite: was stored by another version of mqlab")
        self.mqlab("sweep", "s.toml", "--out", "o", "--force")

    def test_labelled_metrics_that_are_damaged_are_refused(self):
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "1")
        for damage in ("substr(labelled, 1, length(labelled) - 1)", "x'ffffffffffffffff' || labelled", "x'00'"):
            with sqlite3.connect(self.folder / "o/results.sqlite") as store:
                old = store.execute("SELECT labelled FROM trials").fetchone()
                store.execute(f"UPDATE trials SET labelled = CAST({damage} AS BLOB)")
            self.refused("replay", "o", "--check", says="is damaged")
            with sqlite3.connect(self.folder / "o/results.sqlite") as store:
                store.execute("UPDATE trials SET labelled = ?", old)

    def test_flipped_bytes_in_a_store_never_crash(self):
        self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "1")
        store = self.folder / "o/results.sqlite"
        data = store.read_bytes()
        dice = random.Random(3)
        for _ in range(60):
            damaged = bytearray(data)
            for _ in range(20):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            store.write_bytes(bytes(damaged))
            for words in (["replay", "o", "--check"], ["export", "o"]):
                done = subprocess.run([MQLAB, *words], cwd=self.folder, capture_output=True, timeout=60)
                self.assertIn(done.returncode, (0, 1, 2), done.stderr)

    def test_a_folder_that_cannot_be_written(self):
        self.write("file", "x")
        for command in ("sweep", "run"):
            self.refused(command, "s.toml", "--out", "file", says="file: is no folder")
            self.refused(command, "s.toml", "--out", "file/below", says="file/below: ")
            self.refused(command, "s.toml", "--out", "/proc/mqlab", says="/proc/mqlab: cannot be made: ")
        if os.geteuid() != 0:
            (self.folder / "locked").mkdir(mode=0o555)
            self.refused("sweep", "s.toml", "--out", "locked", says="locked/")

    def test_a_result_that_cannot_be_replaced_leaves_no_manifest(self):
        (self.folder / "o/timeseries.csv/x").mkdir(parents=True)
        self.refused("sweep", "s.toml", "--out", "o", "--force", says="o/timeseries.csv: ")
        self.assert_not_whole("o")

    def test_a_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("a small file system can be mounted by root alone")
        self.addCleanup(subprocess.run, ["umount", str(disk)])
        self.write("long.toml", SWEEP.replace("trials = 5", "trials = 200"))
        self.assertRegex(self.refused("sweep", "long.toml", "--out", "disk/o", says="disk/o"), "full|No space left")
        self.assert_not_whole("disk/o")
        self.assertRegex(self.refused("run", "s.toml", "--set", "scenario.duration=60s", "--out", "disk/r", "--trace",
                                      "csv", says="disk/"), "full|No space left")
        self.assert_not_whole("disk/r")

    def test_a_file_size_limit_is_a_full_disk(self):
        import resource

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

        done = self.mqlab("run", "s.toml", "--set", "scenario.duration=60s", "--out", "o", "--trace", "csv", code=2,
                          preexec_fn=limit)
        self.assertRegex(done.stderr, r"^mqlab: o/\S+: [^\n]+\n$")
        self.assert_not_whole("o")


class Notes(Case):
    def setUp(self):
        super().setUp()
        self.write("s.toml", SWEEP.replace("rate = 100 }\n", "rate = 100 }\nconfig = { acks = 1 }\n"))

    def test_a_setting_that_another_one_changes_is_told_once(self):
        said = ("mqlab: note: producers.shop.config.acks = 1 turns enable.idempotence off, as in Kafka's own producer; "
                "give it to say so yourself\n")
        for command, *words in (["run"], ["sweep", "--out", "loud"], ["check", "--trials", "2"]):
            self.assertEqual(self.mqlab(command, "s.toml", *words).stderr, said)
        for command, *words in (["run"], ["sweep", "--out", "quiet"], ["check", "--trials", "2"]):
            self.assertEqual(self.mqlab(command, "s.toml", *words, "--quiet").stderr, "")


class Interrupt(Case):
    def test_ctrl_c_in_a_sweep_keeps_what_is_finished_and_says_how_to_go_on(self):
        self.write("s.toml", SWEEP.replace("trials = 5", "trials = 500").replace('"3s"', '"20s"'))
        run = subprocess.Popen([MQLAB, "sweep", "s.toml", "--out", "o", "-j", "2"], cwd=self.folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        began = time.time()
        out, err = run.communicate(timeout=30)
        self.assertLess(time.time() - began, 5)
        self.assertEqual((run.returncode, out), (130, ""))
        kept = int(re.match(r"mqlab: interrupted: (\d+) of 2000 trials are kept; go on with\n", err).group(1))
        self.assertEqual(err.splitlines()[1], "mqlab sweep s.toml --out o --resume")
        self.assert_not_whole("o")
        with sqlite3.connect(self.folder / "o/results.sqlite") as store:
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(store.execute("SELECT count(*) FROM trials").fetchone(), (kept,))

    def test_ctrl_c_ends_a_long_run(self):
        self.write("s.toml", SMALL.replace('"3s"', '"2000h"'))
        for command in (["run", "s.toml"], ["check", "s.toml"], ["sweep", "s.toml", "--digests"]):
            run = subprocess.Popen([MQLAB, *command], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
            time.sleep(0.5)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=20)
            self.assertEqual((run.returncode, out), (130, ""))
            self.assertIn("interrupted", err)


class Replay(Case):
    def setUp(self):
        super().setUp()
        self.write("s.toml", SWEEP)
        self.mqlab("sweep", "s.toml", "--out", "results/small")

    def test_every_way_to_name_a_run(self):
        row = self.rows("results/small")[13]
        by_id = self.mqlab("replay", row["run_id"], "--check")
        by_folder = self.mqlab("replay", "results/small", "--run", row["run_id"], "--check")
        by_key = self.mqlab("replay", "results/small", "--point", row["point"], "--variant", row["variant"], "--seed",
                            row["seed"], "--check")
        for done in (by_id, by_folder, by_key):
            self.assertIn(row["digest"], done.stdout)
            self.assertIn("the same, bit for bit", done.stdout)

    def test_every_row_replays(self):
        for row in self.rows("results/small")[::3]:
            self.assertIn("the same, bit for bit", self.mqlab("replay", row["run_id"], "--check").stdout)

    def test_a_folder_is_checked_as_a_whole(self):
        self.assertEqual(self.mqlab("replay", "results/small", "--check").stdout,
                         "results/small: 20 of 20 trials are the same, bit for bit\n")
        self.assertIn(": 5 of 5 trials", self.mqlab("replay", "results/small", "--check", "--point", "1", "--variant",
                                                    "three").stdout)
        last = self.rows("results/small")[-1]["run_id"]
        with sqlite3.connect(self.folder / "results/small/results.sqlite") as store:
            store.execute("UPDATE trials SET digest = ? WHERE run_id = ?", ("0" * 32, last))
        out = self.mqlab("replay", "results/small", "--check", code=1).stdout
        self.assertIn(f"run {last}: results/small, point 1, variant three, seed 5\nNOT the same\n", out)
        self.assertIn("results/small: 19 of 20 trials are the same, bit for bit\n", out)

    def test_labelled_metrics_that_differ_are_noticed(self):
        with sqlite3.connect(self.folder / "results/small/results.sqlite") as store:
            store.execute("UPDATE trials SET labelled = x''")
        out = self.mqlab("replay", "results/small", "--check", "--point", "0", "--variant", "two", "--seed", "1", code=1).stdout
        self.assertIn("metrics of single groups, partitions or members differ", out)

    def test_without_check_it_shows_the_run(self):
        self.assertIn("latency [ms]", self.mqlab("replay", "results/small").stdout)

    def test_the_folder_of_a_run_replays_too(self):
        self.mqlab("run", "s.toml", "--seed", "9", "--variant", "three", "--out", "one")
        self.assertIn("the same, bit for bit", self.mqlab("replay", "one", "--check").stdout)
        self.assertEqual([r["variant"] for r in self.rows("one")], ["three"])

    def test_what_is_not_there(self):
        self.refused("replay", "0123456789abcdef", says="neither a folder of results nor a run id")
        self.refused("replay", "results/small", "--run", "0123", says="there is no run '0123'")
        self.refused("replay", "results/small", "--seed", "77", says="no trial of results/small")

    def test_a_digest_that_was_tampered_with_fails(self):
        row = self.rows("results/small")[0]
        with sqlite3.connect(self.folder / "results/small/results.sqlite") as store:
            store.execute("UPDATE trials SET digest = CAST(? AS BLOB) WHERE CAST(run_id AS TEXT) = ?",
                          ("0" * 32, row["run_id"]))
        done = self.mqlab("replay", row["run_id"], "--check", code=1)
        self.assertIn("NOT the same", done.stdout)

    def test_the_block_where_two_runs_part_is_named(self):
        row = self.rows("results/small")[0]
        with sqlite3.connect(self.folder / "results/small/results.sqlite") as store:
            where = "WHERE CAST(run_id AS TEXT) = ?"
            chain = bytearray(store.execute("SELECT chain FROM trials " + where, (row["run_id"],)).fetchone()[0])
            per = int.from_bytes(chain[:8], "little")
            chain[8 + 16 * 2] ^= 1
            store.execute("UPDATE trials SET chain = ?, digest = CAST(? AS BLOB) " + where,
                          (bytes(chain), "0" * 32, row["run_id"]))
        done = self.mqlab("replay", row["run_id"], "--check", code=1)
        self.assertIn(f"the runs part in block 2: trace records {2 * per + 1} to {3 * per}", done.stdout)

    def test_a_table_that_was_tampered_with_fails(self):
        row = self.rows("results/small")[0]
        path = self.folder / "results/small/trials.csv"
        path.write_text(path.read_text().replace(row["digest"], "f" * 32))
        done = self.mqlab("replay", row["run_id"], "--check", code=1)
        self.assertIn("trials.csv has another digest for this run", done.stdout)

    def test_a_manifest_of_another_scenario_fails(self):
        path = self.folder / "results/small/manifest.json"
        manifest = json.loads(path.read_text())
        manifest["resolved"][0]["scenario"]["producers"][0]["arrivals"]["rate"] = 51
        path.write_text(json.dumps(manifest))
        done = self.mqlab("replay", "results/small", "--check", code=1)
        self.assertIn("NOT the same", done.stdout)

    def test_another_version_of_the_models_is_refused(self):
        path = self.folder / "results/small/manifest.json"
        manifest = json.loads(path.read_text())
        manifest["model_version"] += 1
        path.write_text(json.dumps(manifest))
        self.refused("replay", "results/small", "--check", says="made by version")

    def test_a_manifest_that_is_damaged_or_missing_is_refused(self):
        path = self.folder / "results/small/manifest.json"
        text = path.read_text()
        for damaged in ("", "{", "[]", "null", "{}", text[: len(text) // 2], text.replace('"resolved"', '"solved"'),
                        text.replace('"kafka"', '"kafk"'), text.replace('"variants"', '"v"')):
            path.write_text(damaged)
            self.refused("replay", "results/small", "--check", says="manifest.json")
        path.unlink()
        self.refused("replay", "results/small", "--check", says="has no manifest.json")

    def test_data_files_are_found_beside_the_scenario(self):
        (self.folder / "deep").mkdir()
        self.write("deep/times.csv", "".join(f"{0.01 * i:.2f}\n" for i in range(1, 200)))
        self.write("deep/s.toml", SMALL.replace('{ process = "poisson", rate = 100 }',
                                                '{ process = "replay", file = "times.csv" }'))
        self.mqlab("sweep", "deep/s.toml", "--trials", "2", "--out", "o")
        self.assertIn("the same, bit for bit", self.mqlab("replay", "o", "--check").stdout)
        self.write("deep/times.csv", "0.5\n")
        self.refused("replay", "o", "--check", says="is not the file that was run before")


class Check(Case):
    def check(self, expectation, code, *words, more=""):
        self.write("s.toml", SWEEP.split("[[expect]]")[0] + "[[expect]]\nname = \"e\"\n" + expectation + more)
        return self.mqlab("check", "s.toml", "--trials", "4", *words, code=code).stdout

    def test_it_holds(self):
        self.assertIn("ok", self.check('metric = "lost"\nequals = 0\n', 0))
        self.assertRegex(self.check('metric = "lost"\nequals = 0\n', 0, "--quiet"), "^ok   small: 2 held on 4 seeds\n$")

    def test_a_trial_breaks_it_and_the_line_to_see_it_works(self):
        out = self.check('metric = "offered"\nmax = 10\n', 1)
        self.assertIn("FAIL small: e [two], 0 of 4", out)
        line = re.search(r"see it: mqlab (run .*)", out).group(1)
        self.mqlab(*line.split(), code=1)

    def test_the_mean_of_a_point_breaks_it(self):
        self.check('metric = "offered"\nmin = 1\nper = "point"\n', 0)
        self.assertIn("mean offered is", self.check('metric = "offered"\nmax = 10\nper = "point"\n', 1))

    def test_too_few_seeds_show_it(self):
        self.check('metric = "offered"\nmin = 1\nat_least_seeds = 4\n', 0)
        self.assertIn("0 of 4", self.check('metric = "offered"\nmax = 1\nat_least_seeds = 1\n', 1))

    def test_what_was_not_judged_has_not_held(self):
        for quiet in ([], ["--quiet"]):
            self.assertIn("FAIL small: e [two]: nothing was judged: needs 5 seeds, 4 ran\n",
                          self.check('metric = "offered"\nmin = 1\nat_least_seeds = 5\n', 1, *quiet))
            self.write("bare.toml", SMALL)
            self.assertEqual(self.mqlab("check", "bare.toml", "--trials", "2", *quiet, code=1).stdout,
                             "FAIL small: nothing was judged: it has no [[expect]]\n")

    def test_a_sweep_of_few_seeds_leaves_open_what_needs_more(self):
        self.check('metric = "offered"\nmin = 1\nat_least_seeds = 6\n', 1)
        out = self.mqlab("sweep", "s.toml", "--out", "o", "--trials", "5").stdout
        self.assertIn("skip e [two]: needs 6 seeds, 5 ran\n", out)

    def test_a_comparison_of_variants_breaks_it(self):
        pair = 'metric = "offered"\nvariant = "three"\nversus = "two"\n'
        self.check(pair + "max_ratio = 1\nmin_ratio = 1\n", 0)  # common random numbers
        self.assertIn("wanted at most 0.5 times that", self.check(pair + "max_ratio = 0.5\n", 1))

    def test_an_expectation_of_a_point_is_judged_there(self):
        self.write("s.toml", SMALL + '[[expect]]\nname = "e"\nmetric = "lost"\nequals = 0\n'
                   'where = { "groups.billing.members" = 3 }\n'
                   '[sweep]\n"groups.billing.members" = [2, 3]\n')
        out = self.mqlab("check", "s.toml", "--trials", "2").stdout
        self.assertRegex(out, r"^ok   small: e \[base, groups.billing.members=3\], 2 of 2\n$")

    def test_an_expectation_of_one_group(self):
        other = ('[[groups]]\nname = "audit"\ntopics = ["orders"]\nmembers = 1\nstart = "2900ms"\nservice = "1ms"\n')
        one = 'metric = "processed"\ngroup = "billing"\nmin = 1\n'
        self.check(one, 0)
        self.assertIn("processed of billing is", self.check(one.replace("min = 1", "max = 1"), 1))
        out = self.check(one.replace("billing", "audit"), 1, more=other)
        self.assertIn("processed of audit is", out)
        out = self.mqlab("sweep", "s.toml", "--out", "o", code=1).stdout
        self.assertIn("processed of audit is", out)
        self.assertIn("processed of audit is", self.mqlab("run", "s.toml", code=1).stdout)

    def test_a_fault_that_never_strikes_fails(self):
        fault = ('[[faults]]\nname = "never"\nkind = "crash"\ntarget = "billing/0"\n'
                 'when = { step = "committed", nth = 1000000000 }\n')
        out = self.check('metric = "lost"\nequals = 0\n', 1, more=fault)
        self.assertIn("fault never strikes", out)
        self.assertIn("note fault never strikes: not in this run", self.mqlab("run", "s.toml").stdout)

    def test_a_run_and_a_sweep_fail_alike(self):
        self.write("s.toml", SWEEP.replace("equals = 0", "min = 1"))
        self.assertIn("FAIL nothing is lost: lost is 0, wanted >= 1", self.mqlab("run", "s.toml", code=1).stdout)
        out = self.mqlab("sweep", "s.toml", "--out", "o", code=1).stdout
        self.assertIn("FAIL nothing is lost [two, ", out)
        line = re.search(r"replay: mqlab (replay .*)", out).group(1)
        self.mqlab(*line.split())

    def test_several_files_are_all_checked(self):
        self.write("a.toml", SWEEP.replace("equals = 0", "min = 1"))
        self.write("b.toml", SWEEP)
        out = self.mqlab("check", "a.toml", "b.toml", "--trials", "2", code=1).stdout
        self.assertIn("FAIL", out)
        self.assertIn("ok", out)
        self.mqlab("check", "a.toml", "none.toml", "--trials", "2", code=2)

    def test_the_files_after_a_bad_one_are_judged(self):
        self.write("a.toml", SWEEP)
        self.write("bad.toml", "[scenario")
        done = self.mqlab("check", "bad.toml", "a.toml", "none.toml", "a.toml", "--trials", "2", "--quiet", code=2)
        self.assertEqual(done.stdout.count("ok   small: 2 held on 2 seeds"), 2)
        self.assertEqual(len(re.findall("^mqlab: .*(bad|none).toml", done.stderr, re.M)), 2)


if __name__ == "__main__":
    if not os.access(MQLAB, os.X_OK):
        sys.exit(f"{MQLAB}: no such program; set MQLAB")
    unittest.main(verbosity=1)
