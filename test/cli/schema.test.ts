import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { publishedSchemas } from '../../src/workbench/schemas.js';

const folder = new URL('../../deploy/schema/', import.meta.url);

it('finds every published schema as the program would write it now: else run npm run schema', () => {
  const published = publishedSchemas();
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual([...published.keys()]);
  for (const [name, schema] of published)
    expect(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
});

it('describes every key that the loader takes, and no other', () => {
  const schema = publishedSchemas().get('firsthand.schema.json') as {
    properties: object;
    additionalProperties: boolean;
  };
  expect(Object.keys(schema.properties)).toContain('trust');
  expect(schema.additionalProperties).toBe(false);
});
