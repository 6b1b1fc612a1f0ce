import { describe, expect, it } from 'vitest';
import { exposition } from '../../src/audit/exposition.js';

describe('the text for Prometheus', () => {
  it('says help and type before the samples, with an empty line between families', () => {
    const text = exposition([
      { name: 'a_total', help: 'What', type: 'counter', read: () => [{ labels: { x: '1', y: 'z' }, value: 3 }] },
      { name: 'b', help: 'Where', type: 'gauge', read: () => [{ value: 0.5 }] },
    ]);
    expect(text).toBe(
      '# HELP a_total What\n# TYPE a_total counter\na_total{x="1",y="z"} 3\n\n# HELP b Where\n# TYPE b gauge\nb 0.5\n',
    );
  });

  it('escapes what would end a label or a line', () => {
    const read = () => [{ labels: { name: 'a"b\\c\nd' }, value: 1 }];
    const text = exposition([{ name: 'a', help: 'one\ntwo \\ three', type: 'gauge', read }]);
    expect(text).toBe('# HELP a one\\ntwo \\\\ three\n# TYPE a gauge\na{name="a\\"b\\\\c\\nd"} 1\n');
  });

  it('knows the numbers that JSON has no word for', () => {
    const values = [Infinity, -Infinity, NaN].map((value) => ({ value }));
    expect(exposition([{ name: 'a', help: 'b', type: 'gauge', read: () => values }])).toContain(
      'a +Inf\na -Inf\na NaN\n',
    );
  });

  it('gives the parts of a histogram their names', () => {
    const read = () => [
      { suffix: '_bucket', labels: { le: '+Inf' }, value: 2 },
      { suffix: '_sum', value: 1.5 },
    ];
    expect(exposition([{ name: 'h', help: 'b', type: 'histogram', read }])).toContain(
      'h_bucket{le="+Inf"} 2\nh_sum 1.5\n',
    );
  });
});
