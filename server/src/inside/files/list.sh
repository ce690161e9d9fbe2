# list.sh ROOT MARK LIMIT [NAME...]: "entries", then each entry after the mark. Read by domain/files/folder-entries.ts.
mark=$1
left=$2
shift 2
needs stat
for name do
  enter "$name"
done
stay
[ -r . ] || refuse unreadable
printf 'entries\n'

show() {
  [ $# -eq 0 ] || stat -c "$mark %A %s %X %Y %Z %n" "$@" 2>/dev/null
}
set --
for name in ./* ./.[!.]* ./..?*; do
  [ -e "$name" ] || [ -L "$name" ] || continue
  if [ "$left" -eq 0 ]; then
    show "$@"
    printf '%s more\n' "$mark"
    exit 0
  fi
  left=$((left - 1))
  set -- "$@" "$name"
  if [ $# -eq 100 ]; then
    show "$@"
    set --
  fi
done
show "$@"
exit 0
