import { describe, expect, it } from 'vitest';
import { mutantsOf } from './mutants.js';

/** What each mutant of one line of code says instead. */
const mutants = (code: string): string[] => mutantsOf('src/x.ts', code).map(({ text }) => text);

describe('the mutants of a text', () => {
  it('make each comparison a little wrong, and each condition the other way round', () => {
    expect(mutants('f(a < b);')).toEqual([';', 'f(a <= b);', 'f(a >= b);']);
    expect(mutants('const x = a === b ? c : d;')).toEqual(['const x = a !== b ? c : d;']);
    expect(mutants('const x = a ? c : d;')).toEqual(['const x = !(a) ? c : d;']);
    expect(mutants('const x = !a && b;')).toEqual(['const x = !a || b;', 'const x = a && b;']);
    expect(mutants('const x = a ?? b;')).toEqual(['const x = b;', 'const x = a;']);
  });

  it('drop a refusal that returns early, and give another reason', () => {
    const code = "function f() { if (a) return refuse('peer_expired', 'too late'); return g(); }";
    expect(mutants(code)).toEqual([
      "function f() { if (!(a)) return refuse('peer_expired', 'too late'); return g(); }",
      'function f() { ; return g(); }',
      "function f() { if (a) return refuse('internal_error', 'too late'); return g(); }",
    ]);
  });

  it('move bounds by one, empty lists and texts, leave calls out, drop anchors', () => {
    expect(mutants('const MAX = 5;')).toEqual(['const MAX = 6;', 'const MAX = 4;']);
    expect(mutants("const x = ['a'];")).toEqual(['const x = [];', "const x = [''];"]);
    expect(mutants('const x = a.slice(b);')).toEqual(['const x = a;']);
    expect(mutants('const x = a.some(f);')).toEqual(['const x = a.every(f);']);
    expect(mutants('const x = /^a$/;')).toEqual(['const x = /a$/;', 'const x = /^a/;']);
    expect(mutants('const x = true;')).toEqual(['const x = false;']);
  });

  it('leave types, imports and the words of messages alone', () => {
    expect(mutants("import { a } from './a.js';")).toEqual([]);
    expect(mutants("type T = 'a' | 5;")).toEqual([]);
    expect(mutants("interface I { kind: 'a' }")).toEqual([]);
    expect(mutants("const x = new Error('a' + 'b');")).toEqual([]);
  });

  it('are told by file, line and column', () => {
    expect(mutantsOf('src/x.ts', '\nconst x = 5;\n')[0]).toMatchObject({
      ...{ file: 'src/x.ts', line: 2, column: 11, operator: 'one more', was: '5', is: '6', source: 'const x = 5;' },
    });
  });
});
