#!/bin/bash
# Stands in for a Python: writes what it is asked to $CALLS, installs nothing, leaves arithmetic to the real one.
[ "$1" != -I ] || shift
case "$1 $2" in
  "-c "*find_spec*) echo "$FAKE_VERSION" ;; # start.sh asks which Python this is
  "-c "*urlopen*) # ... whether PyTorch's own index answers
    echo "asks $3" >>"$CALLS"
    [ "$FAKE_INDEX" = up ]
    ;;
  "-c "*pip.__version__*) [ "$FAKE_PIP" = old ] ;; # ... whether pip is too old
  "-c "*) exec "$REAL_PYTHON" -I "$@" ;;
  "-m venv")
    echo "${0##*/} venv" >>"$CALLS"
    rm -rf "$4"
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    ;;
  "-m pip")
    echo "pip $3 ${*:6} no_index=$PIP_NO_INDEX" >>"$CALLS"
    seq -f 'line %g of the log' 30
    case $FAKE_PIP in
      fails) exit 1 ;;
      tells-tmpdir) echo "TMPDIR $TMPDIR" >>"$CALLS" ;;
      gated) read -r _ <"$GATE" ;; # goes on when the test writes a line for it
      cut-off-downloading) kill -INT "$PPID" && exit 1 ;;
      cut-off-installing) echo "Installing collected packages: torch" && kill -INT "$PPID" && exit 1 ;;
    esac
    ;;
  */checks.py\ *) exec "$REAL_PYTHON" -I "$@" ;;
  *)
    printf '%s\n' "$2$(printf ' <%s>' "${@:3}")" >>"$CALLS" # in one go, since two may be at it
    [ "$2" != pytest ] || printf 'tests/test_a.py ..\n2 passed in 0.1s\n'
    [ "$2" != "$FAKE_FAILING" ] || { echo "$2 is unhappy" && exit 1; }
    ;;
esac
