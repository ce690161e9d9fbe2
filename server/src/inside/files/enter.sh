# What the other scripts here begin with: ROOT, where a storage is mounted, or nothing for the work folder, in which all of them start.
# They run as the session's user, and answer with one line.
set -u
LC_ALL=C
export LC_ALL
unset TAR_OPTIONS

refuse() {
  printf 'refused %s\n' "$*"
  exit 1
}
needs() {
  for tool do
    command -v "$tool" >/dev/null 2>&1 || refuse lacks "$tool"
  done
}
# The kernel knows where one is, whatever links were changed on the way. Names may end with newlines: the point keeps them.
where() {
  here=$(readlink /proc/self/cwd && printf .) && here=${here%??}
}
inside() {
  case ${1%/}/ in
    "${root%/}"/*) return 0 ;;
  esac
  refuse outside
}
# One folder further; whoever is in a folder stays there, even if another takes its name.
enter() {
  cd -P -- "./$1" 2>/dev/null && return 0
  [ ! -d "./$1" ] || refuse unreadable
  if [ -e "./$1" ] || [ -L "./$1" ]; then refuse not-folder; fi
  refuse absent
}
stay() {
  where || refuse absent
  inside "$here"
}

needs readlink
[ -z "$1" ] || cd -P -- "$1" 2>/dev/null || refuse no-work-folder
shift
where || refuse no-work-folder
root=$here
