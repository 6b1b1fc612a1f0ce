/** Exit code 2: a bad configuration or a file that it names; 3: an address that cannot be listened on. */
export class StartError extends Error {
  constructor(
    readonly exitCode: 2 | 3,
    readonly problems: readonly string[],
  ) {
    super(problems.join('\n'));
  }
}

/** What a fault says, in one line. */
export const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
