import type { Define } from '../command.ts';
import { setDisabled } from './set-disabled.ts';

export const define: Define = (command, run) => {
  command.argument('<name>').action((name: string) => run((context) => setDisabled(name, true, context)));
};
