# Runs code in a session that has no Python: each run a shell of its own, one after the other, its output in files, so that
# servers may come and go. Comes by stdin, as the code does.
# $1 what to do: run, go-on, interrupt; $2 which run (interrupt: - for the one that goes on); $3 the session; $4 seconds to
# wait; $5 the line that ends the code; $6 most bytes of each stream; $7 "eager" where output is not waited with.
# Answers a line "STATUS EXITCODE BYTES BYTES", then so many bytes of stdout and stderr; hears "taken BYTES BYTES", answers "noted".

# Which exec this is must not be inherited: what goes on must not end with it.
unset BERTH_EXEC
umask 077
newline='
'
folder=${TMPDIR:-/tmp}/berth-$(id -u)
mkdir "$folder" 2>/dev/null
if [ -L "$folder" ] || [ ! -d "$folder" ] || [ ! -O "$folder" ]; then
  echo "$folder belongs to somebody else, or cannot be made: remove it" >&2
  exit 1
fi
# What ran before the container was started again is none of ours: its processes have gone.
runs=$folder/$3-$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)
mkdir "$runs" 2>/dev/null
# A file that names the folder of this run.
named=$runs/run-$2
mine=

find_mine() { [ -e "$named" ] && mine=$runs/$(cat "$named") && [ -d "$mine" ]; }
pause() { sleep 0.1 2>/dev/null || sleep 1; }
# One whose parent does not look after it stays in the table of processes, as a zombie.
alive='alive() { kill -0 "$1" 2>/dev/null && [ "$(sed "s/.*) //; s/ .*//" "/proc/$1/stat" 2>/dev/null)" != Z ]; }'
eval "$alive"
is_dead() { [ -e "$1/pid" ] && ! alive "$(cat "$1/pid")"; }
has_ended() { [ ! -d "$1" ] || [ -e "$1/exit" ] || is_dead "$1"; }

# $1 its turn; $2 the one before. One that was never begun (whoever made it was killed) is not waited for.
one_run=$alive'
trap : TERM
# Only now may it be signalled: earlier it would die of that, and the next one would not wait for those before it.
echo $$ >"$1/pid.new"
mv "$1/pid.new" "$1/pid"
pauses=0
while [ -d "$2" ] && [ ! -e "$2/exit" ]; do
  if [ -e "$2/pid" ]; then
    alive "$(cat "$2/pid")" || break
  elif [ "$pauses" -gt 100 ]; then
    break
  fi
  pauses=$((pauses + 1))
  sleep 0.1 2>/dev/null || sleep 1
done
code=130
if [ ! -e "$1/unwanted" ]; then
  sh "$1/code" >"$1/stdout" 2>"$1/stderr" </dev/null
  code=$?
fi
echo "$code" >"$1/exit.new"
mv "$1/exit.new" "$1/exit"'

# Answers whether there is something to tell. A run that is asked for again, because its answer was lost, is not begun again.
begin() {
  code=
  while :; do
    IFS= read -r line || exit 0
    [ "$line" != "$5" ] || break
    code=$code$line$newline
  done
  if find_mine; then
    [ "$code." != "$(cat "$mine/code" && echo .)" ] || return 0
    echo 'id-in-use - 0 0'
    return 1
  fi
  last=$(cat "$runs/last" 2>/dev/null || echo 0)
  number=$((last + 1))
  until mkdir "$runs/turn-$number" 2>/dev/null; do
    number=$((number + 1))
    if [ "$number" -gt "$((last + 1000))" ]; then
      echo "nothing can be written into $runs" >&2
      exit 1
    fi
  done
  echo "$number" >"$runs/last"
  turn=$runs/turn-$number
  printf %s "$code" >"$turn/code"
  : >"$turn/stdout"
  : >"$turn/stderr"
  echo 0 0 >"$turn/taken"
  echo "turn-$number" >"$turn/name"
  # Of two that begin the same run at once only one can give it its name.
  if ! ln "$turn/name" "$named" 2>/dev/null; then
    rm -rf "$turn"
    return 0
  fi
  launcher=$(command -v setsid)
  $launcher sh -c "$one_run" berth "$turn" "$runs/turn-$((number - 1))" </dev/null >/dev/null 2>&1 &
}

# How many bytes of the file $1 come after the first $2, up to $3.
beyond() {
  more=$(($(wc -c <"$1") - $2))
  [ "$more" -le "$3" ] || more=$3
  echo "$more"
}

tell() {
  if ! find_mine; then
    echo 'unknown-run - 0 0'
    return
  fi
  read -r told told_errors <"$mine/taken"
  deadline=$(($(date +%s) + $4))
  until has_ended "$mine" || [ "$(date +%s)" -ge "$deadline" ]; do
    pause
    if [ "$7" = eager ] && [ "$(beyond "$mine/stdout" "$told" 1)$(beyond "$mine/stderr" "$told_errors" 1)" != 00 ]; then break; fi
  done
  status=continued code=-
  if [ -e "$mine/exit" ]; then
    status=finished code=$(cat "$mine/exit")
  elif is_dead "$mine" && [ ! -e "$mine/exit" ]; then
    status=lost
  fi
  output=$(beyond "$mine/stdout" "$told" "$6")
  errors=$(beyond "$mine/stderr" "$told_errors" "$6")
  if [ "$output" -eq "$6" ] || [ "$errors" -eq "$6" ]; then status=continued code=-; fi
  echo "$status $code $output $errors"
  tail -c "+$((told + 1))" "$mine/stdout" | head -c "$output"
  tail -c "+$((told_errors + 1))" "$mine/stderr" | head -c "$errors"
  read -r word output errors && [ "$word" = taken ] || exit 0
  echo "$((told + output)) $((told_errors + errors))" >"$mine/taken"
  echo noted
  if [ "$status" != continued ]; then
    rm -f "$named"
    rm -rf "$mine"
  fi
}

interrupt() {
  find_mine
  turn=$mine
  if [ "$2" = - ]; then
    first=
    for turn in "$runs"/turn-*; do
      number=${turn##*-}
      if ! has_ended "$turn" && { [ -z "$first" ] || [ "$number" -lt "$first" ]; }; then first=$number; fi
    done
    turn=$runs/turn-$first
  fi
  if ! has_ended "$turn"; then
    : >"$turn/unwanted"
    # Not there yet: it looks for that before it begins.
    if pid=$(cat "$turn/pid" 2>/dev/null); then kill -TERM "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null; fi
  fi
  echo 'done - 0 0'
}

case $1 in
run) begin "$@" && tell "$@" ;;
go-on) tell "$@" ;;
interrupt) interrupt "$@" ;;
esac
