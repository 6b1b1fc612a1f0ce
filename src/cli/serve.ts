/** `firsthand serve`: exit 0 drained, 2 bad configuration, 3 cannot listen. */
import { createLog } from '../audit/log.js';
import { startApp, StartError } from '../app.js';
import { formatConfigIssue, loadConfig } from '../config/load.js';
import { checkGuardrails } from '../engine.js';
import type { Address } from '../model/settings.js';

const complain = (text: string): void => void process.stderr.write(`firsthand: ${text}\n`);

export async function serve({
  config,
  record,
}: {
  readonly config: string;
  readonly record?: string;
}): Promise<number> {
  if (record !== undefined) {
    complain('--record is not yet supported');
    return 2;
  }
  const loaded = loadConfig(config, process.env, checkGuardrails);
  if (!loaded.ok) {
    for (const issue of loaded.issues) process.stderr.write(`${formatConfigIssue(issue)}\n`);
    return 2;
  }
  const log = createLog(loaded.settings.logLevel);
  try {
    const app = await startApp(loaded.settings, log, Date.now);
    log.info('serving', { check: app.addresses.check.map(addressText) });
    const hangup = (): void => void app.reload().then(() => log.info('reloaded', {}));
    process.on('SIGHUP', hangup);
    await terminated();
    log.info('draining', {});
    await app.stop();
    process.off('SIGHUP', hangup);
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const problem of error.problems) complain(problem);
    return error.exitCode;
  }
}

const terminated = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });

const addressText = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${address.host}:${address.port}`;
