import type { CommandModule } from './command.ts';

interface Verb {
  readonly summary: string;
  /** Loaded when the command is the one that was typed: starting stays instant. */
  readonly load: () => Promise<CommandModule>;
}
interface Noun {
  readonly summary: string;
  readonly verbs: Readonly<Record<string, Verb>>;
}

const verb = (summary: string, load: Verb['load']): Verb => ({ summary, load });

/** Every command: the help, the loading and the completion derive from it. */
export const COMMANDS: Readonly<Record<string, Verb | Noun>> = {
  session: {
    summary: 'Sessions: start one, enter it, leave it, stop it',
    verbs: {
      create: verb('Start a session and enter it', () => import('./session/create.ts')),
      list: verb('Sessions, newest first', () => import('./session/list.ts')),
      show: verb('One session in full, with its launch timeline', () => import('./session/show.ts')),
      attach: verb('Enter a session that is running', () => import('./session/attach.ts')),
      exec: verb('A new terminal, or a command, in a running session', () => import('./session/exec.ts')),
      run: verb('Run code in a running session, with the variables of what ran before', () => import('./session/run.ts')),
      interrupt: verb('Interrupt the code that runs in a session', () => import('./session/interrupt.ts')),
      logs: verb('What a session printed, also after its end', () => import('./session/logs.ts')),
      upload: verb('Put files into a running session', () => import('./session/upload.ts')),
      download: verb('Get files and folders out of a running session', () => import('./session/download.ts')),
      files: verb('What is in the work folder of a running session', () => import('./session/files.ts')),
      stop: verb('End sessions', () => import('./session/stop.ts')),
      pause: verb('Keep the files, give the compute back', () => import('./session/pause.ts')),
      resume: verb('Go on with a paused session', () => import('./session/resume.ts')),
      restart: verb('Start the main process afresh', () => import('./session/restart.ts')),
      stats: verb('What sessions use: CPU, memory, network, disks', () => import('./session/stats.ts')),
      commit: verb('Make an image of the files of a session', () => import('./session/commit.ts')),
      rename: verb('Call a session by another name', () => import('./session/rename.ts')),
      wait: verb('Wait until a session runs, is paused or has ended', () => import('./session/wait.ts')),
      events: verb('What happens to a session, or to all of yours', () => import('./session/events.ts')),
    },
  },
  job: {
    summary: 'Batch sessions: run a command, come back for its output',
    verbs: {
      create: verb('Run a command in the background', () => import('./job/create.ts')),
      logs: verb('What a job printed', () => import('./session/logs.ts')),
    },
  },
  node: {
    summary: 'Machines',
    verbs: { list: verb('Machines, what they have and what is free', () => import('./node/list.ts')) },
  },
  server: verb('Run a Berth server on this machine', () => import('./server/server.ts')),
  backup: verb('Write the database, the key and the list of storages to a file', () => import('./server/backup.ts')),
  restore: verb('Put a backup back', () => import('./server/restore.ts')),
  login: verb('Sign in to a server and remember it', () => import('./account/login.ts')),
  logout: verb('Forget the token of a server', () => import('./account/logout.ts')),
  whoami: verb('Who you are signed in as', () => import('./account/whoami.ts')),
  token: {
    summary: 'Tokens: sign in from other machines and programs',
    verbs: {
      create: verb('A new token; it is shown once', () => import('./token/create.ts')),
      list: verb('Your tokens', () => import('./token/list.ts')),
      revoke: verb('Make a token worthless, at once', () => import('./token/revoke.ts')),
    },
  },
  storage: {
    summary: 'Storages: folders that outlive sessions',
    verbs: {
      create: verb('A new storage', () => import('./storage/create.ts')),
      list: verb('Your storages, and which sessions have them', () => import('./storage/list.ts')),
      show: verb('One storage', () => import('./storage/show.ts')),
      delete: verb('Delete a storage and all that is in it', () => import('./storage/delete.ts')),
    },
  },
  keypair: {
    summary: 'Key pairs: for programs that sign their requests',
    verbs: {
      create: verb('A new key pair; the secret key is shown once', () => import('./keypair/create.ts')),
      list: verb('Your key pairs', () => import('./keypair/list.ts')),
      revoke: verb('Make a key pair worthless, at once', () => import('./keypair/revoke.ts')),
    },
  },
  user: {
    summary: 'Users (administrators); the key of your callbacks',
    verbs: {
      create: verb('A new user', () => import('./user/create.ts')),
      list: verb('Users', () => import('./user/list.ts')),
      disable: verb('Lock a user out', () => import('./user/disable.ts')),
      enable: verb('Let a user in again', () => import('./user/enable.ts')),
      'callback-key': verb('With what the callbacks of your sessions are signed', () => import('./user/callback-key.ts')),
    },
  },
  config: {
    summary: 'Settings',
    verbs: {
      path: verb('Where this command line stores its own', () => import('./config/path.ts')),
      show: verb('Settings of the server that are in force, and where each came from', () => import('./config/show.ts')),
    },
  },
  completion: verb('Completion for bash, zsh or fish', () => import('./config/completion.ts')),
  version: verb('Versions of this command line and of the server', () => import('./config/version.ts')),
};
