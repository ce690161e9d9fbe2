# Shows at every prompt that this shell is inside a session. Read by bash and sh, login shells and others.
case $- in
  *i*)
    if [ -n "${BASH_VERSION-}" ]; then
      PS1='[BERTH] \u \w \$ '
    else
      PS1="[BERTH] $(id -un 2>/dev/null || id -u) "'$PWD $ '
    fi
    ;;
esac
