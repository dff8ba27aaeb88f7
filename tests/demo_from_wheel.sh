#!/usr/bin/env bash
# Build the wheel, install it with the locked dependencies into an environment of its own, and run the demo from there:
# data, migrations and pages must be in the wheel, and the tests must not.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/.venv/bin/python" -m build --quiet --wheel --no-isolation --outdir "$work" "$root"
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --require-hashes -r "$root/requirements.lock"
"$work/venv/bin/pip" install --quiet --no-deps "$work"/tiku-*.whl
cd "$work"
if "$work/venv/bin/python" -c 'import tests' 2>/dev/null; then
    echo "the wheel installs the tests: it must not" >&2
    exit 1
fi
"$work/venv/bin/tiku" demo --out demo
for file in papers/A.html papers/A-key.html papers/A.zip calibration.html adaptive.html params.json audit.jsonl bank.db; do
    [ -s "demo/$file" ] || { echo "the demo from the wheel did not write $file" >&2; exit 1; }
done
"$work/venv/bin/tiku" audit verify --database demo/bank.db
echo "demo from the built wheel: all files written"
