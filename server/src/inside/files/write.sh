# write.sh ROOT MARK EXECUTABLE NAME...: standard input, which ends with the mark if it is whole, becomes the file. "done SIZE".
mark=$1
executable=$2
shift 2
needs cat chmod dd mkdir mv rm stat tail wc
while [ $# -gt 1 ]; do
  [ -d "./$1" ] || mkdir "./$1" 2>/dev/null || [ -e "./$1" ] || [ -L "./$1" ] || refuse unwritable
  enter "$1"
  stay
  shift
done
stay
[ ! -d "./$1" ] || refuse folder

draft=./.berth-upload-$mark
trap '' PIPE
trap 'exit 1' HUP INT TERM
trap 'rm -f "$draft"' EXIT
# Never through a link that somebody planted; and nobody else's to read while it is not known who may.
set -C
(umask 077 && cat >"$draft") || refuse unwritable
[ "$(tail -c ${#mark} "$draft")" = "$mark" ] || refuse incomplete
size=$(($(wc -c <"$draft") - ${#mark}))
dd if=/dev/null of="$draft" bs=1 seek="$size" 2>/dev/null || refuse unwritable
permissions='=rw'
if [ -f "./$1" ] && [ ! -L "./$1" ]; then permissions=$(stat -c %a "./$1"); fi
chmod "$permissions" "$draft" || refuse unwritable
[ "$executable" != yes ] || chmod +x "$draft"

# Where mv knows -T, even a link to a folder that is planted now is replaced.
if ! mv -f -T "$draft" "./$1" 2>/dev/null; then
  [ ! -d "./$1" ] || refuse folder
  mv -f "$draft" "./$1" || refuse unwritable
fi
printf 'done %s\n' "$size"
