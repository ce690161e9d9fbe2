import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Session } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { patiently } from '../connection/patiently.ts';
import { Failure } from '../failure.ts';
import { printItem } from '../output/print-items.ts';
import { StatusLine } from '../output/status-line.ts';

interface CommitOptions {
  readonly wait: boolean;
}

const LOOK_EVERY_MS = 500;

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .argument('<image>', 'what to call it: NAME or NAME:TAG')
    .option('--no-wait', 'only ask for it')
    .action((session: string, image: string, options: CommitOptions) =>
      run((context) => commitSession({ session, image }, options, context)),
    );
};

/** Asks for an image of a session's files and waits until it is there. Who stops waiting does not stop the making. */
export async function commitSession(
  asked: { readonly session: string; readonly image: string },
  { wait }: CommitOptions,
  context: Context,
): Promise<number> {
  const { client } = await context.connect();
  const session = await client.commitSession({ params: { session: asked.session }, body: { image: asked.image } });
  const { image = '' } = session.commit ?? {};
  if (!wait) {
    printItem(context, session, `${image} is being made of ${session.name}: berth session show ${session.name} tells how far it is.`);
    return 0;
  }
  const made = await untilMade(client, session, context);
  printItem(context, made, `${image} was made of ${session.name}. Start a session from it: berth session create --image ${image}`);
  return 0;
}

async function untilMade(client: Client, asked: Session, context: Context): Promise<Session> {
  const status = new StatusLine(context.io);
  for (;;) {
    const session = await patiently(() => client.getSession({ params: { session: asked.id } }));
    const { commit } = session;
    if (commit?.id !== asked.commit?.id || commit?.state === 'done') {
      status.clear();
      return session;
    }
    if (commit?.state === 'failed') {
      status.clear();
      throw new Failure('failed', `no image was made of ${session.name}: ${commit.message}`);
    }
    status.progress(commit?.message ?? '');
    await delay(LOOK_EVERY_MS);
  }
}
