/** A guard without listeners, around files that really are there: configuration, bundle, keys, lines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import { checkGuardrails, createEngine, readersFor } from '../../src/engine.js';
import type { Engine } from '../../src/engine.js';
import { createHandler } from '../../src/handle.js';
import type { Attributes } from '../../src/model/attributes.js';
import type { Outcome } from '../../src/model/decision.js';
import type { Settings } from '../../src/model/settings.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { openSources } from '../../src/state/sources.js';
import type { OnSource, Sources } from '../../src/state/sources.js';
import { decodeAnswer } from '../wire/answers.js';
import type { DecodedAnswer } from '../wire/answers.js';

export interface Asked {
  readonly outcome: Outcome;
  readonly attributes: Attributes | undefined;
  readonly answer: DecodedAnswer;
}

export interface TestGuard {
  readonly folder: string;
  readonly config: string;
  readonly settings: Settings;
  readonly sources: Sources;
  readonly engine: Engine;
  readonly events: readonly Parameters<OnSource>[];
  readonly faults: readonly unknown[];
  ask(bytes: Uint8Array, deadline?: number): Promise<Asked>;
  /** Writes a file and reads all of them anew. */
  write(name: string, text: string): Promise<void>;
  close(): void;
}

/** `yaml` is firsthand.yaml; the other files are written beside it. */
export async function openGuard(
  yaml: string,
  files: Readonly<Record<string, string>>,
  now: () => number = Date.now,
  bend: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot,
): Promise<TestGuard> {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-'));
  const config = join(folder, 'firsthand.yaml');
  writeFileSync(config, yaml);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const loaded = loadConfig(config, {}, checkGuardrails);
  if (!loaded.ok) throw new Error(loaded.issues.map(formatConfigIssue).join('\n'));
  const { settings } = loaded;
  const events: Parameters<OnSource>[] = [];
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const sources = await openSources(settings, readersFor(settings), now(), (...facts) => void events.push(facts));
  const engine = createEngine({ settings, snapshot: () => bend(sources.snapshot()), now, onFault });
  return {
    folder,
    config,
    settings,
    sources,
    engine,
    events,
    faults,
    async ask(bytes, deadline) {
      let told: ((asked: Omit<Asked, 'answer'>) => void) | undefined;
      const outcome = new Promise<Omit<Asked, 'answer'>>((resolve) => (told = resolve));
      const handle = createHandler({
        check: engine.check,
        settings,
        mayAnswer: () => true,
        onOutcome: (each, attributes) => told?.({ outcome: each, attributes }),
        onFault,
      });
      const answer = decodeAnswer(await handle(bytes, deadline));
      return { ...(await outcome), answer };
    },
    async write(name, text) {
      writeFileSync(join(folder, name), text);
      await sources.poll(now(), true);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
