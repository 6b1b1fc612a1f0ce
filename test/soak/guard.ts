/** A guard as a process of its own, until it is stopped. In: its main.js, a configuration file. Out: where it listens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SoakGuard {
  /** As the log line `serving` tells them. */
  readonly check: readonly string[];
  readonly stderr: () => string;
  stop(): Promise<number | null>;
}

export async function startSoakGuard(main: string, config: string): Promise<SoakGuard> {
  const child = spawn(process.execPath, [main, 'serve', '--config', config], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', kill);
    return code as number | null;
  });
  const serving = new Promise<readonly string[]>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const line = said.split('\n').find((each) => each.endsWith('}') && each.includes('"msg":"serving"'));
      if (line !== undefined) resolve((JSON.parse(line) as { check: string[] }).check);
    });
    void ended.then(() => reject(new Error(`the guard did not start: ${said}`)));
  });
  const check = await serving;
  return {
    check,
    stderr: () => said,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
