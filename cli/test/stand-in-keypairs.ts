import { randomUUID } from 'node:crypto';
import { CreateKeypair, type Keypair } from '@berth/contract';

const NOW = '2026-01-01T12:00:00.000Z';
export const SECRET_KEY = 's'.repeat(40);

/** Up to six key pairs that live in memory. */
export class StandInKeypairs {
  readonly kept: Keypair[] = [];

  /** undefined: there is no such key pair. */
  answer(method: string | undefined, wanted: string | undefined, body: unknown): unknown {
    if (method === 'GET') return { items: this.kept.toReversed(), next: null };
    if (method === 'POST') return this.create(body);
    const at = this.kept.findIndex(({ id, accessKey }) => id === wanted || accessKey === wanted);
    const keypair = this.kept[at];
    return keypair && (this.kept[at] = { ...keypair, revokedAt: NOW });
  }

  private create(body: unknown): unknown {
    const { name, user = 'ada' } = CreateKeypair.parse(body);
    const accessKey = `AKIA${'A'.repeat(15)}${this.kept.length + 2}`;
    const keypair = { id: randomUUID(), accessKey, name, user, createdAt: NOW, lastUsedAt: null, revokedAt: null };
    this.kept.push(keypair);
    return { ...keypair, secretKey: SECRET_KEY };
  }
}
