import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerFiles } from '../../src/inside/files/container-files.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { LocalShell } from '../support/local-shell.ts';

/** Files of every session lie in one folder of this machine, reached as in a container: by a shell. */
export class WorkFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'berth-work-')));
  readonly shell = new LocalShell(this.path);
  readonly files = new ContainerFiles(this.shell as unknown as Runtime);

  at(path: string): string {
    return join(this.path, path);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
