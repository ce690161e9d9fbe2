import { ProblemError } from '@berth/contract';
import { normalArchitecture } from '../../domain/images/architecture.ts';
import { parseImageReference } from '../../domain/images/reference.ts';
import { isFinal } from '../../domain/sessions/lifecycle.ts';
import type { Session } from '../../domain/sessions/session.ts';
import type { User } from '../../domain/users/user-store.ts';
import { audit } from '../caller.ts';
import { SessionWatch } from '../session-watch.ts';
import type { Call, Sent, Surface } from './call.ts';
import { readCreateParameters, type CreateParameters } from './create-parameters.ts';
import { draftFor } from './draft-for.ts';
import { ownerOf } from './find-session.ts';
import { refuseWhatIsNotThereYet } from './not-there-yet.ts';
import { canonical } from './parameters.ts';
import { Refusal } from './refusal.ts';
import { createdAnswer } from './session-page.ts';
import { isUp, statusOf } from './session-status.ts';
import type { SignedCaller } from './signature-check.ts';

/** A name may be freed between the attempt to take it and the look at who has it; hardly ever twice. */
const ATTEMPTS = 10;
/** Notifications may be missed: so often the waiting look by themselves. */
const POLL_MS = 2_000;

export async function createSession(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const asked = readCreateParameters(call.parameters);
  const owner = await ownerOf(surface, call.parameters, caller);
  const image = imageOf(asked);
  const { ownerAccessKey = caller.accessKey } = canonical(call.parameters, { ownerAccessKey: ['owner_access_key'] });
  const accessKey = String(ownerAccessKey);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const existing = await liveOf(surface, owner, asked.clientSessionToken);
    if (existing !== undefined) return reuse(existing, asked, image);
    const created = await tryToCreate(surface, asked, { owner, caller, accessKey });
    if (created !== undefined) return answerNew(surface, { created, asked }, call.open);
  }
  throw new ProblemError('name-taken', `sessions named "${asked.clientSessionToken}" come and go while this is asked: try again`);
}

function imageOf({ image }: CreateParameters): string {
  try {
    return parseImageReference(image);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new Refusal('object-not-found', error.message, { title: NO_SUCH_IMAGE, cause: error });
  }
}
const NO_SUCH_IMAGE = 'No such environment image.';

/** One that owns this name: until it is gone for good, it does. */
async function liveOf({ parts }: Surface, owner: User, name: string): Promise<Session | undefined> {
  const [found] = await parts.sessions.matching(owner.id, name, { dead: false, limit: 1 });
  return found?.name === name && !isFinal(found.state) ? found : undefined;
}

function reuse(existing: Session, asked: CreateParameters, image: string): Sent {
  const data = { existingSessionId: existing.id };
  if (existing.spec.image !== image)
    throw new Refusal(
      'session-already-exists',
      `"${existing.name}" is live with another image, ${existing.spec.image}: choose another name, or destroy it`,
      { data },
    );
  if (isOfAnotherKind(existing, asked))
    throw new Refusal(
      'session-already-exists',
      `"${existing.name}" is live on another architecture, ${existing.spec.architecture}: choose another name, or destroy it`,
      { data },
    );
  if (!asked.reuseIfExists)
    throw new Refusal('session-already-exists', `"${existing.name}" is live: choose another name, or allow its reuse`, { data });
  return { status: 200, body: createdAnswer(existing, { status: statusOf(existing), created: false }) };
}

/** Who names none takes any. */
const isOfAnotherKind = ({ spec }: Session, { architecture = '' }: CreateParameters): boolean =>
  architecture !== '' && spec.architecture !== undefined && normalArchitecture(architecture) !== spec.architecture;

/** undefined: somebody else took the name first. The database decides, so of many at once exactly one wins. */
async function tryToCreate(
  { parts }: Surface,
  asked: CreateParameters,
  people: { owner: User; caller: SignedCaller; accessKey: string },
): Promise<Session | undefined> {
  const { owner, caller, accessKey } = people;
  refuseWhatIsNotThereYet(asked);
  const draft = await draftFor(parts, asked, { owner, caller: caller.user, accessKey });
  try {
    const { session } = await parts.sessions.create(draft);
    audit(caller, 'session.create', session);
    parts.wake(session.id);
    return session;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'name-taken') return undefined;
    throw error;
  }
}

async function answerNew(
  surface: Surface,
  { created, asked }: { created: Session; asked: CreateParameters },
  open: Call['open'],
): Promise<Sent> {
  const answer = (session: Session, status: string): Sent => ({ status: 201, body: createdAnswer(session, { status, created: true }) });
  if (asked.enqueueOnly) return answer(created, statusOf(created));
  const { session, settled } = await waitFor(surface, created, { seconds: asked.maxWaitSeconds, signal: open() });
  if (!settled) return answer(session, 'TIMEOUT');
  const cause = session.ending?.cause;
  if (cause?.code === 'image-not-found' || cause?.code === 'image-denied')
    throw new Refusal('object-not-found', `${cause.message} ${cause.remedy}`, { title: NO_SUCH_IMAGE, data: { sessionId: session.id } });
  return answer(session, statusOf(session));
}

/** Until it runs, has ended, or the time is over; whoever waits is woken by every event of the session. 0 seconds: for ever. */
async function waitFor(
  { parts }: Surface,
  created: Session,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<{ session: Session; settled: boolean }> {
  const until = seconds === 0 ? Infinity : performance.now() + seconds * 1000;
  const watch = new SessionWatch(parts, created.id);
  try {
    for (;;) {
      const session = await watch.read(signal);
      if (isUp(session) || isFinal(session.state)) return { session, settled: true };
      const left = until - performance.now();
      if (left <= 0) return { session, settled: false };
      if (signal.aborted)
        throw new ProblemError('shutting-down', `the wait for "${session.name}" was cut off; the session goes on: ask again`);
      await watch.wait(Math.min(left, POLL_MS), signal);
    }
  } finally {
    watch.close();
  }
}
