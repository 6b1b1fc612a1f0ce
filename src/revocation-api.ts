/**
 * `POST /api/revocations`: the body of a request to what was done about it. The same object as a line of the file; `at` may
 * be left out. Refuses what could never be found (400), and says so where it could be kept nowhere (409). The same body
 * twice does what it did once.
 */
import type { RevocationDesk, Taken } from './revocation-desk.js';
import { orderObject, readOrder } from './state/revocation/order.js';

export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

export const revocationApi =
  (take: RevocationDesk['take'], now: () => number) =>
  async (text: string): Promise<ApiAnswer> => {
    const order = readOrder(parseJson(text), now());
    if (!order.ok) return { status: 400, body: { error: order.problem } };
    const normalised = { ...order.value, by: order.value.by ?? 'admin API' };
    return answerTo(await take(normalised), orderObject(normalised));
  };

function answerTo(taken: Taken, order: object): ApiAnswer {
  switch (taken.kind) {
    case 'store':
      return { status: 200, body: { ...order, counts: 'at all guards of the store' } };
    case 'file':
      return { status: 200, body: { ...order, counts: 'at all guards that read the file' } };
    case 'later':
      return {
        status: 202,
        body: { ...order, counts: 'here; elsewhere when the store answers', error: taken.problem },
      };
    case 'failed':
      return { status: 503, body: { error: taken.problem } };
    case 'nowhere':
      return { status: 409, body: { error: 'there is nowhere to keep it: set revocation.file or store' } };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
