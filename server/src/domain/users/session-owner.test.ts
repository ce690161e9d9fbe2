import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionOwner } from './session-owner.ts';
import type { User } from './user-store.ts';

const person = (name: string, role: User['role'] = 'user', domain = 'default'): User => ({
  id: `id of ${name}`,
  name,
  role,
  domain,
  disabled: false,
  createdAt: new Date(0),
});
const ann = person('ann');
const bob = person('bob');
const root = person('root', 'admin');
const chief = person('chief', 'admin');
const stranger = person('stranger', 'user', 'elsewhere');

const asked = (user: User, accessKey: string, owner: User | undefined): User =>
  sessionOwner({ accessKey: 'OWN', user }, { accessKey, user: owner });

describe('whose sessions are meant', () => {
  test.each([ann, root])("without another key pair, or with the caller's own, hers: $name", (user) => {
    expect(sessionOwner({ accessKey: 'OWN', user }, undefined)).toBe(user);
    expect(asked(user, 'OWN', user)).toBe(user);
    expect(asked(user, 'HER SECOND', { ...user })).toBe(user);
  });

  test.each([bob, root, stranger, undefined])(
    'a user who names the key pair of another, or of nobody, is refused in the same words: $name',
    (owner) => {
      expect(() => asked(ann, 'OTHER', owner)).toThrow(
        expect.objectContaining({
          code: 'forbidden',
          field: 'owner_access_key',
          message: expect.stringMatching(/^the key pair "OTHER" is not yours: only/),
        }),
      );
    },
  );

  test.each([ann, chief, stranger])('an administrator names whom she likes: $name', (owner) => {
    expect(asked(root, 'OTHER', owner)).toBe(owner);
  });

  test('an administrator is told of a key pair that nobody has', () => {
    expect(() => asked(root, 'NOBODY', undefined)).toThrow(
      expect.objectContaining({ code: 'invalid-field', message: expect.stringContaining('"NOBODY"') }),
    );
  });

  test('nobody but an administrator ever comes to the sessions of another', () => {
    const people = fc.constantFrom(ann, bob, root, chief, stranger);
    fc.assert(
      fc.property(people, fc.option(people, { nil: undefined }), fc.constantFrom('OWN', 'OTHER'), (caller, owner, accessKey) => {
        try {
          const meant = asked(caller, accessKey, owner);
          expect(meant === caller || caller.role === 'admin').toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: caller.role === 'admin' ? 'invalid-field' : 'forbidden' });
        }
      }),
    );
  });
});
