#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 (npm) beside prometheus-client 0.23.1 (PyPI), which writes the text and reads it
# back: a histogram with a label, how long runs took at each of two houses. The first makes one of the two: all buckets
# go into one list, where those of the second house replace the first one's; the label, the count and the sum are gone.
# Of a summary with a label likewise the quantiles of the last house are left.
# A histogram without a label has all that it should, and a counter with the label is right, for both houses; the
# README has just such examples, and says that the form is that of prom2json, which has an entry with its labels for
# each.
# Whoever watches the syncs of several properties by it sees the last one only, whichever is late, and with no name.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check prometheus-client==0.23.1
cd "$dir"
npm install --silent --no-fund --no-audit parse-prometheus-text-format@1.1.1 >/dev/null
cat >write.py <<'PY'
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

registry = CollectorRegistry()
runs = Counter("runs", "Runs.", ["house"], registry=registry)
took = Histogram("took", "Seconds.", ["house"], buckets=(1, 60), registry=registry)
whole = Histogram("whole", "Seconds.", buckets=(1, 60), registry=registry)
for house, seconds in (("Elm", 300), ("Elm", 400), ("Oak", 0.5)):
    runs.labels(house).inc()
    took.labels(house).observe(seconds)
    whole.observe(seconds)
text = "".join(line for line in generate_latest(registry).decode().splitlines(True) if "_created" not in line)
open("metrics.txt", "w").write(text)
for family in text_string_to_metric_families(text):
    for name, labels, value, *_ in family.samples:
        if name.endswith(("_total", "_count")) or labels.get("le") == "60.0":
            print(f"Python: {name}", *[f"{key}={labels[key]}" for key in labels], value)
PY
cat >read.cjs <<'JS'
const parse = require('parse-prometheus-text-format');
for (const { name, metrics } of parse(require('fs').readFileSync('metrics.txt', 'utf8'))) {
  for (const metric of metrics) console.log(`npm: ${name} ${JSON.stringify(metric)}`);
}
JS
{ venv/bin/python write.py; node read.cjs; } | tee seen
cat >expected <<'TXT'
Python: runs_total house=Elm 2.0
Python: runs_total house=Oak 1.0
Python: took_bucket house=Elm le=60.0 0.0
Python: took_count house=Elm 2.0
Python: took_bucket house=Oak le=60.0 1.0
Python: took_count house=Oak 1.0
Python: whole_bucket le=60.0 1.0
Python: whole_count 3.0
npm: runs_total {"value":"2.0","labels":{"house":"Elm"}}
npm: runs_total {"value":"1.0","labels":{"house":"Oak"}}
npm: took {"buckets":{"1.0":"1.0","60.0":"1.0","+Inf":"1.0"}}
npm: whole {"buckets":{"1.0":"1.0","60.0":"1.0","+Inf":"3.0"},"count":"3.0","sum":"700.5"}
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
