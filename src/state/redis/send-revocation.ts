/**
 * One order into the store, by whoever is no guard. In: where the store is, an order. Out: nothing, or what went wrong; then
 * nothing was written, as far as anybody can tell. Reads no other revocation.
 */
import type { RevocationOrder } from '../../model/revocation.js';
import type { RedisSettings } from '../../model/settings.js';
import { askThrough, CONNECT_PATIENCE, createClient, destroy, LATE, within, wordsOf } from './client.js';
import type { Client } from './client.js';
import { createSeal } from './seal.js';
import { secretOf } from './secret.js';
import { writeOrder } from './write-revocation.js';

/** An operator waits longer than a check, ms. */
const PATIENCE = 5000;

export async function sendOrder(settings: RedisSettings, order: RevocationOrder): Promise<string | undefined> {
  let client: Client | undefined;
  let lost: string | undefined;
  const lose = (problem: string): void => void (lost ??= problem);
  try {
    const seal = createSeal(secretOf(settings.keyFile));
    client = await createClient(settings);
    client.on('error', (error) => lose(wordsOf(error)));
    if ((await within(CONNECT_PATIENCE, client.connect())) === LATE) return 'it takes no connection';
    const written = await writeOrder(askThrough(client, PATIENCE, lose), seal, order);
    return written.ok ? undefined : (lost ?? written.problem);
  } catch (error) {
    return lost ?? wordsOf(error);
  } finally {
    destroy(client);
  }
}
