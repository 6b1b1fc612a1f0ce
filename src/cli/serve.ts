/** `firsthand serve`: exit 0 drained, 2 bad configuration, 3 cannot listen. */
import { createLog } from '../audit/log.js';
import type { Log } from '../audit/log.js';
import { startApp, StartError } from '../app.js';
import type { App, OnCheck } from '../app.js';
import { formatConfigIssue, loadConfig } from '../config/load.js';
import { checkGuardrails } from '../engine.js';
import type { Address, Settings } from '../model/settings.js';
import { growWithLoad } from './heap.js';
import type { Spool } from '../replay/spool.js';
import type { ServeOptions } from './serve-options.js';

const complain = (text: string): void => void process.stderr.write(`firsthand: ${text}\n`);

export async function serve({ config, record, recordSample }: ServeOptions): Promise<number> {
  const share = shareOf(recordSample);
  if (share === undefined) {
    complain(`--record-sample: expected a number above 0, at most 1, got ${JSON.stringify(recordSample)}`);
    return 2;
  }
  if (recordSample !== undefined && record === undefined) {
    complain('--record-sample says how much --record DIR keeps: name a folder with --record as well');
    return 2;
  }
  const settings = load(config);
  if (settings === undefined) return 2;
  const log = createLog(settings.logLevel);
  try {
    const keeping = record === undefined ? undefined : await keepIn(record, share, log);
    const app = await startApp(settings, log, Date.now, keeping?.onCheck);
    growWithLoad();
    log.info('serving', { check: app.addresses.check.map(addressText) });
    const hangup = (): void => void reload(app, config, log);
    process.on('SIGHUP', hangup);
    await terminated();
    log.info('draining', {});
    await app.stop();
    await keeping?.spool.close();
    process.off('SIGHUP', hangup);
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const problem of error.problems) complain(problem);
    return error.exitCode;
  }
}

/** 1 keeps every check. */
function shareOf(text = '1'): number | undefined {
  const share = /^(0|1|0?\.[0-9]+|1\.0+)$/.test(text) ? Number(text) : NaN;
  return share > 0 ? share : undefined;
}

/** 512 MiB at most: some hundred thousand checks, or the last ones. */
const RECORD_FILES = 16;
const RECORD_BYTES = 32 * 1024 * 1024;

/** Loaded only where checks are recorded. */
async function keepIn(folder: string, share: number, log: Log): Promise<{ spool: Spool; onCheck: OnCheck }> {
  const [{ openSpool }, { keepInto }] = await Promise.all([import('../replay/spool.js'), import('../replay/keep.js')]);
  const onProblem = (problem: string): void => log.error('checks can not be recorded', { problem });
  try {
    const spool = openSpool({ folder, maxFiles: RECORD_FILES, maxBytes: RECORD_BYTES, now: Date.now(), onProblem });
    return { spool, onCheck: keepInto(spool, share, Math.random) };
  } catch (error) {
    throw new StartError(2, [`--record ${folder}: ${error instanceof Error ? error.message : String(error)}`]);
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
