import { describe, expect, it } from 'vitest';
import { serveOptions } from '../../src/cli/serve-options.js';

describe('the plain form of serve', () => {
  it('is read without the rest of the commands', () => {
    expect(serveOptions(['serve', '--config', 'a.yaml'])).toEqual({ config: 'a.yaml' });
    const all = ['serve', '--record-sample', '0.1', '--config', 'a.yaml', '--record', 'dir'];
    expect(serveOptions(all)).toEqual({ config: 'a.yaml', record: 'dir', recordSample: '0.1' });
  });

  it.each([
    ['nothing'],
    ['another command', 'lint', '--config', 'a.yaml'],
    ['no options', 'serve'],
    ['help', 'serve', '--help'],
    ['help behind the rest', 'serve', '--config', 'a.yaml', '--help'],
    ['an option without a value', 'serve', '--config'],
    ['a value that looks like an option', 'serve', '--config', '--record'],
    ['an empty value', 'serve', '--config', ''],
    ['an option twice', 'serve', '--config', 'a.yaml', '--config', 'b.yaml'],
    ['an option in one word', 'serve', '--config=a.yaml'],
    ['an unknown option', 'serve', '--config', 'a.yaml', '--colour', 'red'],
    ['no configuration', 'serve', '--record', 'dir'],
  ])('is not %s: the whole program reads that', (_what, ...argv) => {
    expect(serveOptions(argv)).toBeUndefined();
  });
});
