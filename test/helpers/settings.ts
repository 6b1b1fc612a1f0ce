/** Settings as the product itself reads them, from a configuration's text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import type { Settings } from '../../src/model/settings.js';
import { checkGuardrails } from '../../src/policy/compile.js';

export function settingsFrom(yaml: string): Settings {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-'));
  try {
    const file = join(folder, 'firsthand.yaml');
    writeFileSync(file, yaml);
    const loaded = loadConfig(file, {}, checkGuardrails);
    if (loaded.ok) return loaded.settings;
    throw new Error(loaded.issues.map(formatConfigIssue).join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
