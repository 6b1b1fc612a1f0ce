/** `firsthand serve`: exit 0 drained, 2 bad configuration, 3 cannot listen. */
import { createLog } from '../audit/log.js';
import type { Log } from '../audit/log.js';
import { startApp, StartError } from '../app.js';
import type { App } from '../app.js';
import { formatConfigIssue, loadConfig } from '../config/load.js';
import { checkGuardrails } from '../engine.js';
import type { Address, Settings } from '../model/settings.js';

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
  const settings = load(config);
  if (settings === undefined) return 2;
  const log = createLog(settings.logLevel);
  try {
    const app = await startApp(settings, log, Date.now);
    log.info('serving', { check: app.addresses.check.map(addressText) });
    const hangup = (): void => void reload(app, config, log);
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

/** The settings; undefined after every issue was told. */
function load(config: string): Settings | undefined {
  const loaded = loadConfig(config, process.env, checkGuardrails);
  if (loaded.ok) return loaded.settings;
  for (const issue of loaded.issues) process.stderr.write(`${formatConfigIssue(issue)}\n`);
  return undefined;
}

/** A configuration that cannot be used changes nothing; the files of the old one are read again all the same. */
async function reload(app: App, config: string, log: Log): Promise<void> {
  try {
    const next = load(config);
    await app.reload(next);
    if (next === undefined) log.error('the configuration is not usable, the last good one goes on', {});
    else log.info('reloaded', {});
  } catch (error) {
    const problems = error instanceof StartError ? error.problems : [String(error)];
    log.error('the configuration is not usable, the last good one goes on', { problems });
  }
}

/** What follows the first signal changes nothing: npm and a terminal both send one, and a drain must not be cut short. */
const terminated = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });

const addressText = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${address.host}:${address.port}`;
