import { expect, test } from 'vitest';
import { buildCommand } from '../cli/build.js';
import { reportText } from './report.js';
import { soak } from './soak.js';

const MAIN = await buildCommand();

test('ten rotations of everything under a steady load: no wrong decision, none without keys', async () => {
  const report = await soak({ main: MAIN, rotations: 10, cycle: 1900, rate: 60 });
  expect(report.wrong, reportText(report)).toEqual([]);
  expect(report.reasons.has('keys_unavailable')).toBe(false);
  expect(report.reasons.has('bundle_unavailable')).toBe(false);
  // What rotates ends refused: everything but the newest was taken away and asked about.
  expect(report.rotations).toMatchObject({ keys: 10, roots: 10, own: 10 });
  expect(report.rotations.leaves).toBeGreaterThanOrEqual(10);
  for (const reason of ['allowed', 'token_key_unknown', 'peer_untrusted', 'binding_mismatch'])
    expect(report.reasons.get(reason), reason).toBeGreaterThan(30);
  for (const [name, { asked, overlap }] of report.probes) expect(asked - overlap, name).toBeGreaterThan(50);
  expect(report.connections).toBeGreaterThan(50);
  // One for each change that was fetched, none for a set that came again.
  expect(report.events.get('keys_changed')).toBeGreaterThanOrEqual(10);
  expect(report.events.get('keys_changed')).toBeLessThanOrEqual(2 * 10 + 4);
  expect(report.events.get('bundle_changed')).toBeGreaterThanOrEqual(10);
}, 90_000);
