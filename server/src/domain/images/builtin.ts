import type { Cause } from '@berth/contract';

/** Images that Berth makes itself when they are missing: recipes in `images/<name>`. */
export const BUILTIN_IMAGES = ['berth/base:latest'] as const;
export type BuiltinImage = (typeof BUILTIN_IMAGES)[number];
export const isBuiltin = (reference: string): reference is BuiltinImage => (BUILTIN_IMAGES as readonly string[]).includes(reference);

/** Makes a built-in image on the engine the runtime talks to. Joins a build under way; `report` gets a line for each step. */
export interface BuiltinImageMaker {
  make(image: BuiltinImage, report: (line: string) => void): Promise<void>;
}

/** Why a built-in image could not be made, as the waiting session shows it. The only thing `make` throws. */
export class BuiltinImageError extends Error {
  override readonly name = 'BuiltinImageError';
  readonly failure: Cause;
  constructor(failure: Cause, options?: ErrorOptions) {
    super(`${failure.message}. ${failure.remedy}`, options);
    this.failure = failure;
  }
}
