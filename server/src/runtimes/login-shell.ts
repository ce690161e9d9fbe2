/** bash where there is one; a login shell, so that the image's profile holds. */
export const LOGIN_SHELL: readonly string[] = ['/bin/sh', '-c', 'command -v bash >/dev/null && exec bash -l; exec sh -l'];
