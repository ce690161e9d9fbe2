// The contract's front door, and the one barrel file of the project.
export * from './account.ts';
export * from './api.ts';
export * from './client.ts';
export * from './commit.ts';
export * from './endpoint.ts';
export * from './frames.ts';
export * from './in-words.ts';
export * from './mount.ts';
export * from './openapi.ts';
export * from './problem.ts';
export * from './problems.ts';
export * from './quantity.ts';
export * from './service-port.ts';
export * from './session.ts';
export * from './starts-at.ts';
export * from './statistics.ts';
export * from './storage.ts';
