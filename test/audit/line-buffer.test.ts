/** Lines come out as they went in, whatever was written in between: buffers are filled again once they were written. */
import { describe, expect, it } from 'vitest';
import { BATCH_BYTES, lineBuffer } from '../../src/audit/line-buffer.js';
import { seeded } from '../helpers/random.js';

describe('lines that wait', () => {
  it('come out in order and unchanged, while others are added and writes stop anywhere', () => {
    const random = seeded(7);
    const buffer = lineBuffer(4 * BATCH_BYTES);
    let [added, written] = ['', ''];
    for (let n = 0; n < 20_000; n += 1) {
      const line = `${n} ${'é'.repeat(random.below(200))}`;
      if (buffer.add(line)) added += `${line}\n`;
      if (random.below(40) > 0) continue;
      const bytes = buffer.next();
      const count = random.below(4) === 0 ? Math.floor(bytes.length / 2) : bytes.length;
      // What is being written must not change while lines are added.
      const [before, more] = [bytes.toString('latin1'), `more ${n}`];
      if (buffer.add(more)) added += `${more}\n`;
      expect(bytes.toString('latin1') === before).toBe(true);
      written += before.slice(0, count);
      buffer.arrived(count);
    }
    for (let bytes = buffer.next(); bytes.length > 0; bytes = buffer.next()) {
      written += bytes.toString('latin1');
      buffer.arrived(bytes.length);
    }
    expect(Buffer.from(written, 'latin1').toString('utf8') === added).toBe(true);
    expect(buffer.waiting()).toBe(0);
  });

  it('wait in several buffers while nothing is written, a line longer than any of them too', () => {
    const buffer = lineBuffer(8 * BATCH_BYTES);
    const lines = Array.from({ length: 1500 }, (_, n) => `${n} ${'x'.repeat(n === 700 ? BATCH_BYTES + 1 : 500)}`);
    for (const line of lines) expect(buffer.add(line)).toBe(true);
    let written = '';
    for (let bytes = buffer.next(); bytes.length > 0; bytes = buffer.next()) {
      written += bytes.toString();
      buffer.arrived(bytes.length);
    }
    expect(written === `${lines.join('\n')}\n`).toBe(true);
  });
});
