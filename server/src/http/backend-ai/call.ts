import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { EventFeed } from '../event-feed.ts';
import type { CutReason, LiveConnections } from '../live-connections.ts';
import type { HttpParts } from '../parts.ts';
import type { StdinOwners } from '../stdin-owners.ts';
import type { Talk } from '../web-sockets.ts';
import type { Parameters } from './parameters.ts';
import type { SignedCaller } from './signature-check.ts';

/** What the routes share. */
export interface Surface {
  readonly parts: HttpParts;
  readonly feed: EventFeed;
  /** Waiting and streaming requests that are signed with a key pair. */
  readonly live: LiveConnections;
  readonly owners: StdinOwners;
}

/** One request, checked as far as all are. */
export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly parameters: Parameters;
  /** The names that were given, null or not. */
  readonly given: () => ReadonlySet<string>;
  /** Fires when the client goes away, the server stops or the key pair is no longer good. */
  readonly open: () => AbortSignal;
  /** A form, where the route takes one and one was sent: nobody has read it yet. */
  readonly form?: { readonly contentType: string; readonly request: IncomingMessage };
}

export interface Sent {
  readonly status: 200 | 201 | 204;
  readonly body?: object;
  /** Instead of a body: events, as they happen. */
  readonly stream?: Readable;
  /** Instead of a body in JSON. */
  readonly bytes?: { readonly type: string; readonly content: Readable };
}

/** `handle` gets its caller, except where nobody needs to sign. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** multipart/form-data, which no other route reads. */
  readonly takesForm?: boolean;
} & (
  | { readonly open: true; readonly handle: (call: Call) => Promise<Sent> }
  | { readonly open?: false; readonly handle: (call: Call, caller: SignedCaller) => Promise<Sent> }
);

/** The address of a WebSocket. */
export interface SocketRoute {
  readonly path: string;
  /** Refuses before the upgrade; answers what to do after it. `call.open` fires when the connection is gone, upgraded or not. */
  readonly prepare: (call: Call, caller: SignedCaller) => Promise<Talk>;
  /** What is said to a client that is cut off. */
  readonly farewell?: (reason: CutReason) => object;
}
