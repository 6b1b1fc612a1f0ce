import fc from 'fast-check';
import { expect, it } from 'vitest';
import { explanation } from '../../src/audit/explanation.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import { mayQuote, quotable } from '../../src/quick/quoted.js';
import { FORWARDED_HEADER } from '../../src/request/shape.js';
import { createGlance } from '../../src/wire/glance.js';
import { readRequest } from '../../src/wire/read-request.js';
import { checkRequest } from '../helpers/check-request.js';

const glance = createGlance({ credentials: ['authorization'], forwarded: FORWARDED_HEADER, suspects: [], allowed: [] });

/** Whatever a record would take out of an explanation is seen: where it is said to hold nothing, it stays as it is. */
it('an explanation that may hold nothing of a request is told as it is', () => {
  if (glance === undefined) throw new Error('no glance');
  const word = fc.constantFrom(
    'secret-value',
    'frontend',
    'orders.read',
    'abcdef',
    'abcde',
    'Bearer abcdef',
    'x y z w v u',
  );
  const value = fc.oneof(
    word,
    fc.tuple(word, word).map((each) => each.join(' ')),
    fc.string({ maxLength: 12 }),
  );
  const detail = fc
    .array(fc.oneof(word, fc.stringMatching(/^[ -~]{0,8}$/)), { maxLength: 5 })
    .map((each) => each.join(' '));
  const headers = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), value), { selector: ([name]) => name });
  const query = fc.oneof(
    fc.constant(''),
    fc.tuple(word, word).map(([a, b]) => `?${a}=${encodeURIComponent(b)}&c=${a}`),
  );
  const counts = { free: 0, held: 0 };
  fc.assert(
    fc.property(detail, headers, query, (text, lines, asked) => {
      const bytes = checkRequest({ path: `/x${asked}`, headers: lines });
      const read = readRequest(bytes);
      if (!glance.look(bytes) || !read.ok || text === '') return;
      if (mayQuote(quotable(text), bytes, glance.seen)) counts.held += 1;
      else {
        counts.free += 1;
        expect(explanation(text, requestFacts(read.value), undefined)).toBe(text);
      }
    }),
    { numRuns: 3000 },
  );
  expect(counts.free).toBeGreaterThan(300);
  expect(counts.held).toBeGreaterThan(300);
});
