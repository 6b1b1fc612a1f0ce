/** `npm run schema`: writes the published JSON Schemas. test/cli/schema.test.ts says when that was forgotten. */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { publishedSchemas } from '../../src/workbench/schemas.ts';

for (const [name, schema] of publishedSchemas()) {
  const text = await format(JSON.stringify(schema), { parser: 'json', printWidth: 120 });
  writeFileSync(new URL(name, import.meta.url), text);
}
