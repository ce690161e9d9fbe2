/** What an image says of itself. */
export interface ImageFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** TCP ports it declares (EXPOSE). */
  readonly exposedPorts: readonly number[];
}
