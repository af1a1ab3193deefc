#!/usr/bin/env bash
# Creates .venv with the tested versions, or leaves it alone when it is up to date.
#   TORCH_SPEC="torch==2.11.*"   another torch than the tested one
#   MART_USE_SYSTEM_TORCH=1      keep the torch of the Python that is found (--system-site-packages)
#   MART_PYTHON=python3.12       the Python to build on
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[bootstrap] %s\n' "$*"; }

find_python() {
  local candidate
  for candidate in ${MART_PYTHON:-} python3.11 python3.12 python3.10 python3 python; do
    if "$candidate" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' \
        >/dev/null 2>&1; then
      command -v "$candidate"; return
    fi
  done
  say "no Python 3.10, 3.11 or 3.12 found (python3 is $(python3 --version 2>&1 || echo absent)): install one, or set MART_PYTHON" >&2
  exit 1
}

PYTHON_BIN=$(find_python)
SYSTEM=""
[ "${MART_USE_SYSTEM_TORCH:-0}" = 1 ] && SYSTEM="--system-site-packages"
STAMP=$( { cat requirements/*.txt constraints.txt setup.cfg setup.py pyproject.toml; "$PYTHON_BIN" --version; \
  echo "${TORCH_SPEC:-} $SYSTEM"; } | "$PYTHON_BIN" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
if [ -x .venv/bin/python ] && [ "$(cat .venv/.stamp 2>/dev/null)" = "$STAMP" ]; then
  exit 0
fi

CONSTRAINTS=$(mktemp)
trap 'rm -f "$CONSTRAINTS"' EXIT
if [ -n "${TORCH_SPEC:-}" ] || [ -n "$SYSTEM" ]; then
  grep -viE '^(torch|torchvision)==' constraints.txt > "$CONSTRAINTS"
  [ -z "${TORCH_SPEC:-}" ] || printf '%s\n' "$TORCH_SPEC" >> "$CONSTRAINTS"
else
  cp constraints.txt "$CONSTRAINTS"
fi

rm -rf .venv
if command -v uv >/dev/null 2>&1; then
  say "creating .venv with uv and $("$PYTHON_BIN" --version)"
  # uv does not read pip's settings: hand it the places where pip looks for wheels
  LINKS="$("$PYTHON_BIN" -m pip config get global.find-links 2>/dev/null || true) ${PIP_FIND_LINKS:-}"
  LINKS=$(echo $LINKS | tr ' ' ',')
  [ -z "$LINKS" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$LINKS}"
  uv venv --quiet --seed $SYSTEM --python "$PYTHON_BIN" .venv
  INSTALL=(uv pip install --quiet --python .venv/bin/python)
else
  say "creating .venv with pip and $("$PYTHON_BIN" --version)"
  "$PYTHON_BIN" -m venv $SYSTEM .venv
  INSTALL=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
fi
say 'installing torch'
"${INSTALL[@]}" -c "$CONSTRAINTS" torch
say 'installing everything else (a few minutes on a first run)'
"${INSTALL[@]}" -c "$CONSTRAINTS" -e '.[tests,onnx]'
printf '%s' "$STAMP" > .venv/.stamp
say 'ready'
