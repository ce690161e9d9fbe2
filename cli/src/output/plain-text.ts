// oxlint-disable-next-line no-control-regex
const CONTROL = /\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]/g;

/** For a line of text that others wrote (a reason, a name): no byte of it may steer the reader's terminal. */
export const plainText = (text: string): string => text.replaceAll(CONTROL, ' ').trimEnd();
