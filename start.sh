#!/usr/bin/env bash
# Install HoverSAM beside this file, the first time, and run it. `./start.sh --help` says how.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
venv=$root/.venv
python=$venv/bin/python
log=$venv/install.log
lock=$root/.venv.lock
cpu_index=https://download.pytorch.org/whl/cpu
failures=""

usage() {
  cat <<'TEXT'
Usage: ./start.sh [serve] [options]   start the server; the first start installs it in .venv
       ./start.sh COMMAND ...         another command of `python -m app`, such as demo PHOTO, weights or bench
       ./start.sh install             install, and start nothing
       ./start.sh test [arguments]    run every check: ruff, mypy, tsc, node --test, pytest [arguments]
       ./start.sh soak [arguments]    the long tests: floods, thousands of random sequences, half an hour at half load
       ./start.sh --help              show this text and, once installed, each option of the server

Options of serve: --model --checkpoint --host --port --device --engine --precision --offline
  --offline (or HOVERSAM_OFFLINE=1) fetches no weights. The first start still takes packages from pip's registry,
  unless pip itself is told otherwise (PIP_NO_INDEX, PIP_FIND_LINKS).
TEXT
}

say() { printf 'start.sh: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# --- Python -------------------------------------------------------------------------------------

# Prints what `$1` is, such as "3.11" or "3.11 without ensurepip"; nothing where it doesn't run.
python_version() {
  "$1" -c 'import sys, importlib.util as u
print("%d.%d%s" % (sys.version_info[:2] + ("" if u.find_spec("ensurepip") else " without ensurepip",)))' 2>/dev/null || true
}

# Prints the command of a Python to install with. One newer than 3.13 is the last choice: torch's wheels
# for a new Python come months after it.
find_python() {
  local candidate version newer="" seen=""
  for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
    version=$(python_version "$candidate")
    case $version in
      3.1[0-3])
        printf '%s\n' "$candidate"
        return
        ;;
      3.1[4-9] | 3.[2-9][0-9]) newer=${newer:-$candidate} ;;
      ?*) seen="$seen $candidate is $version;" ;;
    esac
  done
  if [ -n "$newer" ]; then
    printf '%s\n' "$newer"
  elif [[ $seen == *ensurepip* ]]; then
    die "a Python that can make a virtual environment is needed, but$seen" \
      "install its venv package ('apt install python3-venv' on Debian and Ubuntu) and start again"
  else
    die "Python 3.10 or newer is needed, but${seen:- there is no python3 on PATH;}" \
      "install one ('apt install python3 python3-venv', 'brew install python@3.13' or https://www.python.org/downloads/) and start again"
  fi
}

# --- Installing -----------------------------------------------------------------------------------

# -I, because a folder named `app` (or `pip`) where the person stands must not be taken for the installed one.
py() { "$python" -I "$@"; }

# Prints what an installation depends on, as one hash; nothing where .venv has no working Python.
fingerprint() {
  py -c 'import hashlib, sys
text = open(sys.argv[1] + "/pyproject.toml", "rb").read() + (sys.version + sys.argv[1]).encode()
print(hashlib.sha256(text).hexdigest())' "$root" 2>/dev/null || true
}

stamp() { printf '%s\n' "$venv/installed${1:+-$1}"; } # EXTRA: "" or "test"

is_installed() { # EXTRA
  [ -f "$(stamp "$1")" ] && [ "$(fingerprint)" = "$(cat "$(stamp "$1")")" ]
}

# Prints "ours" where file descriptor 9 got the lock, "taken" where another process has it; with `wait`, waits for it.
# It is Python that asks, since macOS has no flock command; the lock stays with the descriptor, which this shell holds,
# and so does a pip that outlives it. Where the file system knows no locks, nothing is printed and nobody waits.
try_lock() { # PYTHON [wait]
  "$1" -I -c 'import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX if "wait" in sys.argv else fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("ours")
except BlockingIOError:
    print("taken")' "${2:-}" 2>/dev/null || true
}

# Lets one start.sh at a time install in this folder. unlock lets the next one.
take_lock() { # PYTHON
  { exec 9>>"$lock"; } 2>/dev/null || die "$root can't be written to, and the first start installs .venv in it"
  if [ "$(try_lock "$1")" = taken ]; then
    say "another start.sh is installing in this folder; waiting for it"
    try_lock "$1" wait >/dev/null
  fi
}

unlock() { exec 9>&-; }

# True where pip was cut off between its first and its last package: it would take a half-written one for whole.
is_torn() {
  [ -f "$log" ] && awk '
    /^Installing collected packages/ { torn = 1 }
    /^Successfully installed/ { torn = 0 }
    END { exit !torn }' "$log"
}

is_usable() {
  py -c 'import sys, pip
sys.exit(sys.version_info < (3, 10))' 2>/dev/null && ! is_torn
}

make_venv() { # PYTHON
  local output
  say "making .venv with $1 ($(python_version "$1"))"
  output=$("$1" -m venv --clear "$venv" 2>&1) || die "making $venv failed: $output"
}

# Runs `pip install` and keeps what it says in the log. $1 says what is being installed. What it unpacks, some GB,
# would fill a /tmp that is kept in memory. No function is redirected here: what is said at Ctrl+C would go to the log.
pip_install() {
  local what=$1
  shift
  say "installing $what"
  if ! TMPDIR=$venv/tmp "$python" -I -m pip install --no-input --disable-pip-version-check "$@" </dev/null >>"$log" 2>&1; then
    say "installing $what failed; the end of $log:"
    tail -n 20 "$log" >&2
    die "when that is cured, start again"
  fi
}

# pip older than 21.3 can't install a project in place.
needs_newer_pip() {
  py -c 'import sys, pip
sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) >= (21, 3))'
}

has_nvidia() { [ -e /proc/driver/nvidia ] || [[ $(nvidia-smi -L 2>/dev/null) == *GPU* ]]; }

# True where PyTorch's CPU build (200 MB instead of several GB) is what this machine wants and can get.
# Elsewhere than on Linux the ordinary registry has no other.
wants_cpu_index() {
  [ -z "${PIP_NO_INDEX:-}" ] && [ "$(uname -s)" = Linux ] && ! has_nvidia && py -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/torch/", timeout=4).close()' "$cpu_index" 2>/dev/null
}

# Prints the requirement of package $1 as pyproject.toml has it.
requirement() { sed -n "s/^    \"\($1[<>=~!].*\)\",.*/\1/p" "$root/pyproject.toml"; }

# sam2 is published as source only and its build imports torch, so torch comes first and nothing is built in
# isolation. Its CUDA extension serves only the video predictor and would need a compiler.
install() { # EXTRA PYTHON
  export SAM2_BUILD_CUDA=0
  is_usable || make_venv "$2"
  rm -rf "$venv"/installed* "$venv/tmp"
  mkdir "$venv/tmp"
  : >"$log"
  if needs_newer_pip; then pip_install "a newer pip" --upgrade pip; fi
  pip_install "what builds from source need" "setuptools>=77" wheel
  if wants_cpu_index; then
    pip_install "PyTorch for the CPU" --index-url "$cpu_index" "$(requirement torch)" "$(requirement torchvision)"
  else
    pip_install "PyTorch" "$(requirement torch)" "$(requirement torchvision)"
  fi
  pip_install "SAM 2 and the server" --no-build-isolation --editable "$root${1:+[$1]}"
  [ -z "$1" ] || pip_install "readers of label files" --no-deps "$(requirement labelme)" \
    "$(requirement supervision)" "$(requirement pydeprecate)" "$(requirement defusedxml)" "$(requirement ultralytics)"
  rm -rf "$venv/tmp"
  fingerprint >"$(stamp "")" # the stamps come last, so that an interrupted installation is repeated
  [ -z "$1" ] || fingerprint >"$(stamp "$1")"
}

ensure_installed() { # EXTRA
  local chosen
  if is_installed "$1"; then return; fi
  chosen=$(find_python) || exit 1
  take_lock "$chosen"
  is_installed "$1" || install "$1" "$chosen" # the one that was waited for may have done it
  unlock
}

# --- Checks ---------------------------------------------------------------------------------------

# Runs a check in silence and prints one line about it; what a failed one said is shown.
gate() { # NAME COMMAND...
  local name=$1 began=$SECONDS output
  shift
  if output=$("$@" 2>&1 </dev/null); then
    printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
  else
    printf '%s\nfailed  %s (%d s)\n' "$output" "$name" $((SECONDS - began))
    failures="$failures, $name"
  fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_install() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null &&
    as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

have_node() { command -v node >/dev/null && command -v npm >/dev/null; }

need_node() {
  have_node || { apt_install nodejs npm && have_node; } ||
    { echo "node and npm are needed: install Node.js 20 or newer (https://nodejs.org)" && return 1; }
}

have_chromium() {
  local name
  for name in chromium chromium-browser google-chrome; do
    "$name" --version 2>/dev/null && return
  done
  return 1
}

need_chromium() {
  have_chromium || { apt_install chromium fonts-liberation && have_chromium; } ||
    { echo "the browser tests need chromium, chromium-browser or google-chrome on PATH: install one" && return 1; }
}

# Typescript and types for the checks of static/js; npm's own record tells whether they are up to date.
node_modules() {
  local record=node_modules/.package-lock.json
  cd "$root/tests/js" || return
  if [ -f "$record" ] && [ ! package.json -nt "$record" ] && [ ! package-lock.json -nt "$record" ]; then
    return
  elif [ -f package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error && touch "$record"
  else
    npm install --no-package-lock --no-audit --no-fund --loglevel=error && touch "$record"
  fi
}

in_js() { cd "$root/tests/js" && "$@"; }

# Passes lines on as they come, but for the last one, which goes to a file.
hold_last_line() { # FILE
  py -c 'import sys
held = b""
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(held)
    sys.stdout.flush()
    held = line
open(sys.argv[1], "wb").write(held)' "$1"
}

# The last line of pytest is its summary, which belongs at the very end of everything.
run_pytest() { # FILE-FOR-THE-SUMMARY PYTEST-ARGUMENTS...
  local summary=$1 began=$SECONDS verdict=ok
  shift
  if ! PYTHONUNBUFFERED=1 "$python" -m pytest "$@" </dev/null 2>&1 | hold_last_line "$summary"; then
    verdict=failed
    failures="$failures, pytest"
  fi
  printf '%-7s pytest (%d s)\n' "$verdict" $((SECONDS - began))
}

# Runs every check even where one fails; pytest's summary comes last.
run_tests() { # PYTEST-ARGUMENTS...
  cd "$root"
  ensure_installed test
  gate "node" need_node
  gate "node modules" node_modules
  gate "Chromium" need_chromium
  gate "ruff format --check" "$python" -m ruff format --check .
  gate "ruff check" "$python" -m ruff check .
  gate "mypy" "$python" -m mypy
  gate "tsc --noEmit" in_js node_modules/.bin/tsc --noEmit
  gate "node --test" in_js node --test --test-reporter=spec
  run_pytest "$venv/pytest-summary" "$@"
  [ -z "$failures" ] || echo "failed: ${failures#, }"
  cat "$venv/pytest-summary"
  [ -z "$failures" ]
}

# The tests that have a long version, in that version; HOVERSAM_SOAK_MINUTES shortens the longest. Figures are shown.
run_soak() { # PYTEST-ARGUMENTS...
  cd "$root"
  ensure_installed test
  HOVERSAM_SOAK=1 exec "$python" -m pytest -s tests/faults tests/property "$@"
}

# --- Commands -------------------------------------------------------------------------------------

show_help() {
  usage
  if is_installed ""; then
    echo
    exec "$python" -I -m app serve --help
  fi
}

# The person's folder stays the current one, so that the paths they type mean what they say.
run_app() { # COMMAND ARGUMENTS...
  ensure_installed ""
  exec "$python" -I -m app "$@"
}

trap 'say "interrupted; start again to go on"; exit 130' INT

case ${1:-} in
  -h | --help) show_help ;;
  install) ensure_installed "" ;;
  test)
    shift
    run_tests "$@"
    ;;
  soak)
    shift
    run_soak "$@"
    ;;
  "" | -*) run_app serve "$@" ;;
  *) run_app "$@" ;;
esac
