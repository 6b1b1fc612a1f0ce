/** The bridge between a parser of one text and zod: a leaf of the schema that turns its text into a checked value. */
import * as z from 'zod';

/** What a parser of one text says. */
export type Leaf<T> = { readonly value: T } | { readonly problem: string; readonly hint: string | undefined };

export const no = (problem: string, hint?: string): { problem: string; hint: string | undefined } => ({
  problem,
  hint,
});

/** A message with its hint in one string: zod carries a message only. shape.ts takes them apart again. */
export const withHint = (message: string, hint: string | undefined): string =>
  hint === undefined ? message : `${message}\n${hint}`;

/** Texts that the environment completes are not checked by an editor that only knows the JSON Schema. */
const FROM_ENVIRONMENT = String.raw`\$\{`;

/** `pattern` is for the JSON Schema alone; the parser decides. */
export function leaf<T>(parse: (text: string) => Leaf<T>, pattern?: string) {
  const text = pattern === undefined ? z.string() : z.string().meta({ pattern: `${pattern}|${FROM_ENVIRONMENT}` });
  return text.transform((input, context): T => {
    const parsed = parse(input);
    if ('value' in parsed) return parsed.value;
    context.issues.push({ code: 'custom', message: withHint(parsed.problem, parsed.hint), input });
    return z.NEVER;
  });
}

/** A list in which a second mention adds nothing. */
export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
