/**
 * The JSON Schemas that are published in deploy/schema/. In: the table that the loader itself checks with. Out: files by
 * name. An editor's help: what `firsthand lint` says is what counts.
 */
import { configJsonSchema } from '../config/schema.js';

export const publishedSchemas = (): ReadonlyMap<string, object> =>
  new Map([['firsthand.schema.json', configJsonSchema()]]);
