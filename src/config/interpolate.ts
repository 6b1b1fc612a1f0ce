/**
 * `${NAME}` and `${NAME:-default}` in one string of the configuration. In: a string that YAML has already read, and the
 * environment. Out: the string with the values in place, or every problem with its offset. What is put in is text and stays
 * text: it is read neither as YAML nor for further `${`.
 */
import { quote } from './words.js';

export type Env = Readonly<Record<string, string | undefined>>;

export type Interpolated =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problems: readonly EnvProblem[] };

export interface EnvProblem {
  /** Of the `${` within the text. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FORMS = 'write ${NAME} or ${NAME:-default}';

export function interpolate(text: string, env: Env): Interpolated {
  const problems: EnvProblem[] = [];
  let result = '';
  let position = 0;
  for (;;) {
    const start = text.indexOf('${', position);
    if (start < 0) break;
    const end = text.indexOf('}', start);
    if (end < 0) {
      problems.push({ offset: start, message: `expected "}" after ${quote(text.slice(start))}`, hint: FORMS });
      break;
    }
    const found = lookUp(text.slice(start + 2, end), env);
    if ('value' in found) result += text.slice(position, start) + found.value;
    else problems.push({ offset: start, ...found });
    position = end + 1;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, text: result + text.slice(position) };
}

/** As in a shell: `:-` also replaces a value that is set and empty. */
function lookUp(inside: string, env: Env): { value: string } | { message: string; hint: string } {
  const dash = inside.indexOf(':-');
  const name = dash < 0 ? inside : inside.slice(0, dash);
  const fallback = dash < 0 ? undefined : inside.slice(dash + 2);
  if (!NAME.test(name))
    return { message: `expected the name of an environment variable, got ${quote(name)}`, hint: FORMS };
  if (fallback?.includes('${'))
    return { message: `the default of \${${name}:-…} holds another \${`, hint: 'a default is plain text' };
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined) return { value: value === undefined || value === '' ? fallback : value };
  if (value !== undefined) return { value };
  return {
    message: `the environment variable ${name} is not set`,
    hint: `set it, or write \${${name}:-default}`,
  };
}
