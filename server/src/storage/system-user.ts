import { spawnSync } from 'node:child_process';
import { StorageRefusal } from './refusal.ts';

/** Whom PostgreSQL runs as. It refuses to run as root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** false: this process's own account. */
  readonly other: boolean;
}

const NAME = 'berth';

/** This process's account, or for root the system user `berth`, made when it is missing. */
export function postgresAccount(report: (line: string) => void): Account {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { name: String(uid), uid, gid: process.getgid?.() ?? uid, other: false };
  const existing = lookUp();
  if (existing !== undefined) return existing;
  const made = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', NAME],
    {
      encoding: 'utf8',
    },
  );
  const account = lookUp();
  if (account === undefined) {
    throw new StorageRefusal(
      'no-system-user',
      `PostgreSQL does not run as root, and the system user "${NAME}" could not be made (${made.error?.message ?? made.stderr.trim()}). ` +
        `Make it yourself (useradd --system ${NAME}), start Berth as a user who is not root, or give it a server with DATABASE_URL.`,
    );
  }
  report(`Made the system user "${NAME}": PostgreSQL does not run as root.`);
  return account;
}

function lookUp(): Account | undefined {
  const uid = idOf('-u');
  const gid = idOf('-g');
  return uid === undefined || gid === undefined ? undefined : { name: NAME, uid, gid, other: true };
}

function idOf(flag: '-u' | '-g'): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, NAME], { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim()) : undefined;
}
