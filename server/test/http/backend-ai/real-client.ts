import { createRequire } from 'node:module';
import { expect, vi } from 'vitest';

interface Folder {
  readonly id: string;
  readonly name: string;
  readonly host: string;
}

type Item = Record<string, unknown>;
interface Listed {
  readonly items: readonly Item[];
  readonly total_count: number;
}

export interface Created {
  readonly sessionId: string;
  readonly sessId: string;
  readonly sessionName: string;
  readonly status: string;
  readonly created: boolean;
  readonly servicePorts: readonly object[];
}

/** What is used of the real client, which has no types. Its entry in package.json names a file that is not there. */
export interface RealClient {
  kernelPrefix: string;
  readonly vfolder: {
    list(): Promise<readonly Folder[]>;
    list_hosts(): Promise<{ readonly default: string; readonly allowed: readonly string[] }>;
    list_allowed_types(): Promise<readonly string[]>;
    create(name: string, host: string): Promise<Folder>;
    info(name: string): Promise<Record<string, unknown>>;
    delete(name: string): Promise<unknown>;
    list_files(path: string, name: string): Promise<unknown>;
    list_invitees(): Promise<unknown>;
  };
  /** Its users set it; some questions it asks otherwise then, or not at all. */
  is_admin?: boolean;
  is_superadmin?: boolean;
  readonly computeSession: {
    list(fields?: string[], status?: string): Promise<{ compute_session_list: Listed }>;
    listAll(): Promise<readonly Item[]>;
    total_count(status?: string): Promise<{ compute_session_list: { total_count: number } }>;
    get(fields: string[] | undefined, id: string): Promise<{ compute_session: Item | null }>;
  };
  readonly keypair: {
    info(accessKey: string): Promise<{ keypair: Item }>;
    list(userId: string): Promise<{ keypairs: readonly Item[] }>;
    delete(accessKey: string): Promise<unknown>;
  };
  readonly user: { get(email: string): Promise<{ user: Item }>; list(): Promise<{ users: readonly Item[] }> };
  readonly group: { list(): Promise<{ groups: readonly Item[] }> };
  readonly domain: { get(name: string): Promise<{ domain: Item }>; list(): Promise<{ domains: readonly Item[] }> };
  readonly image: { list(): Promise<{ images: readonly Item[] }> };
  readonly agent: { list(): Promise<{ agents: readonly Item[] }> };
  readonly resources: { totalResourceInformation(): Promise<unknown> };
  readonly resourcePolicy: { get(name: string | null): Promise<Item> };
  readonly resourcePreset: { list(): Promise<Item>; check(of: object): Promise<Item> };
  readonly scalingGroup: { list(group: string): Promise<Item>; list_available(): Promise<Item> };
  readonly sessionTemplate: { list(): Promise<readonly Item[]> };
  requestTimeout: number;
  getServerVersion(): Promise<{ version: string; manager: string }>;
  get_manager_version(): Promise<string>;
  get_resource_slots(): Promise<Record<string, string>>;
  createIfNotExists(image: string, name: string | undefined, resources?: object, timeout?: number): Promise<Created>;
  get_info(name: string, ownerKey?: string | null): Promise<Record<string, unknown>>;
  get_logs(name: string): Promise<{ result: { logs: string } }>;
  restart(name: string): Promise<unknown>;
  destroy(name: string, ownerKey?: string | null, forced?: boolean): Promise<{ stats: { status: string } }>;
  execute(name: string, runId: string, mode: string, code: string, options: object): Promise<unknown>;
  upload(name: string, path: string, file: Blob): Promise<unknown>;
  download(name: string, files: readonly string[]): Promise<Blob>;
  download_single(name: string, file: string): Promise<Blob>;
}

const require = createRequire(import.meta.url);
const { Client, ClientConfig } = require('backend.ai-client/backend.ai-client-node.js') as {
  Client: new (config: object, agent: string) => RealClient;
  ClientConfig: new (accessKey: string, secretKey: string, endpoint: string) => object;
};

export const realClient = (url: string, { accessKey, secretKey }: { accessKey: string; secretKey: string }): RealClient =>
  new Client(new ClientConfig(accessKey, secretKey, url), 'contract test');

/** It was written for browsers. */
export function likeABrowser(): void {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
  vi.stubGlobal('navigator', { onLine: true });
}

/** How it tells its caller: our message is in `description`. */
export const refusal = (statusCode: number, title: string) => ({
  isError: true,
  statusCode,
  title: expect.stringMatching(new RegExp(`^${statusCode} .* - ${title}$`)),
  description: expect.stringMatching(/\S/),
});
