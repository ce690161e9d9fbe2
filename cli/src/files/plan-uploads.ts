import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { posix } from 'node:path';
import { Failure } from '../failure.ts';

export interface Upload {
  /** On this machine. */
  readonly file: string;
  /** In the session's work folder. */
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
}

export interface UploadPlan {
  readonly uploads: readonly Upload[];
  /** Links and the like inside folders: what they lead to is not what was named. */
  readonly leftOut: readonly string[];
}

/** What is to be sent when these files and folders are; folders with all files in them. Nothing is sent unless all are there. */
export async function planUploads(named: readonly string[], to: string): Promise<UploadPlan> {
  const plans = await Promise.all(named.map((file) => planOne(file, posix.join(to, basename(resolve(file))))));
  const uploads = plans.flatMap((plan) => plan.uploads);
  const twice = uploads.find(({ path }, at) => uploads.findIndex((other) => other.path === path) !== at);
  if (twice !== undefined)
    throw new Failure('usage', `two files would become "${twice.path}" in the session: upload one of them by itself.`);
  return { uploads, leftOut: plans.flatMap((plan) => plan.leftOut) };
}

async function planOne(file: string, path: string): Promise<UploadPlan> {
  const facts = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (facts.isDirectory()) return planFolder(file, path);
  if (!facts.isFile()) throw new Failure('usage', `${file} is neither a file nor a folder.`);
  return { uploads: [{ file, path, size: facts.size, executable: (facts.mode & 0o111) !== 0 }], leftOut: [] };
}

async function planFolder(folder: string, path: string): Promise<UploadPlan> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const plans: UploadPlan[] = [];
  for (const entry of found) {
    const file = join(folder, entry.name);
    const isTaken = entry.isFile() || entry.isDirectory();
    plans.push(isTaken ? await planOne(file, posix.join(path, entry.name)) : { uploads: [], leftOut: [file] });
  }
  return { uploads: plans.flatMap((plan) => plan.uploads), leftOut: plans.flatMap((plan) => plan.leftOut) };
}

export function unreadable(file: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure('failed', `${file} cannot be read: ${why}.`, { cause });
}
