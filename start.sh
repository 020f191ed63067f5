#!/usr/bin/env bash
# Install HoverSAM beside this file, the first time, and run it. `./start.sh --help` says how.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
venv=$root/.venv
python=$venv/bin/python
log=$venv/install.log
lock=$root/.venv.lock
pins=""
cpu_index=https://download.pytorch.org/whl/cpu

usage() {
  cat <<'TEXT'
Usage: ./start.sh [serve] [options]   start the server; the first start installs it in .venv
       ./start.sh COMMAND ...         another command of `python -m app`, such as demo PHOTO, weights or bench
       ./start.sh install [fleet|video]  install, with Ray for workers or PyAV for videos, and start nothing
       ./start.sh test [arguments]    run every check: ruff, mypy, tsc, node --test, pytest [arguments]
       ./start.sh test quick          run those that take less than a minute; `test coverage` measures what tests reach
       ./start.sh soak [arguments]    the long tests: floods, thousands of random sequences, half an hour at half load
       ./start.sh --help              show this text and, once installed, each option of the server

Options of serve: --model --checkpoint --host --port --device --engine --precision --offline --workers --ray-address
  --workers N runs the model in N processes beside the server, --ray-address HOST:PORT in those of a Ray cluster; the
  first of these starts installs Ray.
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
  py -c 'import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
files = [root / "pyproject.toml", root.joinpath(".constraints", "py%d%d.txt" % sys.version_info[:2])]
text = b"".join(file.read_bytes() for file in files if file.exists()) + (sys.version + sys.argv[1]).encode()
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
  if ! TMPDIR=$venv/tmp "$python" -I -m pip install --no-input --disable-pip-version-check \
    ${pins:+--constraint "$pins"} "$@" </dev/null >>"$log" 2>&1; then
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

# Prints what pyproject.toml lists as `bare`: readers of label files for the tests, without what they depend on.
bare() { sed -n '/^bare = \[/,/^]/ s/^    "\(.*\)",.*/\1/p' "$root/pyproject.toml"; }

# Prints the file of the versions that the checks passed with under this Python; nothing where there is none, and then
# pyproject.toml's ranges decide.
find_pins() {
  py -c 'import pathlib, sys
file = pathlib.Path(sys.argv[1], ".constraints", "py%d%d.txt" % sys.version_info[:2])
print(file if file.exists() else "")' "$root"
}

# sam2 is published as source only and its build imports torch, so torch comes first and nothing is built in
# isolation. Its CUDA extension serves only the video predictor and would need a compiler.
install() { # EXTRA PYTHON
  export SAM2_BUILD_CUDA=0
  is_usable || make_venv "$2"
  pins=$(find_pins)
  rm -rf "$venv"/installed* "$venv/tmp"
  mkdir "$venv/tmp"
  : >"$log"
  if needs_newer_pip; then pip_install "a newer pip" --upgrade pip; fi
  pip_install "what builds from source need" "setuptools>=77" wheel
  if wants_cpu_index; then
    pip_install "PyTorch for the CPU" --extra-index-url "$cpu_index" "$(requirement torch)" "$(requirement torchvision)"
  else
    pip_install "PyTorch" "$(requirement torch)" "$(requirement torchvision)"
  fi
  pip_install "SAM 2 and the server" --no-build-isolation --editable "$root${1:+[$1]}"
  [ -z "$1" ] || pip_install "readers of label files" --no-deps $(bare)
  rm -rf "$venv/tmp"
  fingerprint >"$(stamp "")" # the stamps come last, so that an interrupted installation is repeated
  [ -z "$1" ] || fingerprint >"$(stamp "$1")"
}

# Adds an extra to what is installed, such as Ray; nothing else is touched. $2 says what it is.
ensure_extra() { # EXTRA WHAT
  ensure_installed ""
  if is_installed "$1"; then return; fi
  take_lock "$python"
  if ! is_installed "$1"; then
    pins=$(find_pins)
    mkdir -p "$venv/tmp"
    pip_install "$2" --no-build-isolation --editable "$root[$1]"
    rm -rf "$venv/tmp"
    fingerprint >"$(stamp "$1")"
  fi
  unlock
}

ensure_fleet() { ensure_extra fleet "Ray, which workers run on"; }

ensure_video() { ensure_extra video "PyAV, which reads videos"; }

ensure_installed() { # EXTRA
  local chosen
  if is_installed "$1"; then return; fi
  chosen=$(find_python) || exit 1
  take_lock "$chosen"
  is_installed "$1" || install "$1" "$chosen" # the one that was waited for may have done it
  unlock
}

# --- Commands -------------------------------------------------------------------------------------

show_help() {
  usage
  if is_installed ""; then
    echo
    exec "$python" -I -m app serve --help
  fi
}

# True where workers are asked for, by an option or by a variable.
wants_fleet() { # COMMAND ARGUMENTS...
  [ "$1" = serve ] || return 1
  [ -z "${HOVERSAM_WORKERS:-}${HOVERSAM_RAY_ADDRESS:-}" ] || return 0
  local word
  for word in "$@"; do
    case $word in --workers | --workers=* | --ray-address | --ray-address=*) return 0 ;; esac
  done
  return 1
}

# The person's folder stays the current one, so that the paths they type mean what they say.
run_app() { # COMMAND ARGUMENTS...
  if wants_fleet "$@"; then ensure_fleet; else ensure_installed ""; fi
  exec "$python" -I -m app "$@"
}

trap 'say "interrupted; start again to go on"; exit 130' INT

case ${1:-} in
  -h | --help) show_help ;;
  install) if [ "${2:-}" = fleet ]; then ensure_fleet; elif [ "${2:-}" = video ]; then ensure_video; else ensure_installed ""; fi ;;
  test | soak)
    ensure_installed test
    exec "$python" -I "$root/.ci/checks.py" "$@"
    ;;
  "" | -*) run_app serve "$@" ;;
  *) run_app "$@" ;;
esac
