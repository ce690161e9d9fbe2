# read.sh ROOT NAMING [NAME...]: "file SIZE MODIFIED MODE" and its bytes, or "folder" and a tar archive.
naming=$1
shift
while [ $# -gt 1 ]; do
  enter "$1"
  shift
done
stay
[ $# -gt 0 ] || set -- .

# The opened file is what is looked at and sent: it cannot be exchanged for another.
send() {
  opened=$(readlink /proc/self/fd/3 && printf .) && opened=${opened%??}
  inside "$opened"
  facts=$(stat -L -c '%s %Y %a' /proc/self/fd/3) || refuse changed
  printf 'file %s\n' "$facts"
  exec cat <&3
}
pack() {
  case $1 in
    *\\*) if is_gnu; then set -- --no-unquote "$1"; fi ;;
  esac
  tar -cf - "$@"
  code=$?
  # To GNU, 1 is: something changed meanwhile. The archive is whole.
  if [ "$code" -eq 1 ] && is_gnu; then exit 0; fi
  exit "$code"
}
is_gnu() {
  case $(tar --version 2>/dev/null) in
    *'GNU tar'*) return 0 ;;
  esac
  return 1
}

if [ -d "./$1" ]; then
  enter "$1"
  stay
  [ -r . ] || refuse unreadable
  needs tar
  set -- .
  if [ "$naming" = named ] && [ "$here" != "$root" ]; then
    set -- "./${here##*/}"
    cd -P .. || refuse unreadable
    stay
  fi
  printf 'folder\n'
  pack "$1"
fi
needs cat stat
[ -e "./$1" ] || refuse absent
[ -f "./$1" ] || refuse special
[ -r "./$1" ] || refuse unreadable
send 3<"./$1"
