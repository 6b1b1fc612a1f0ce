/**
 * A distinguished name as text (RFC 4514 §2): most specific part first, so that records and revocations can name an
 * issuer. In: the DER of a Name. Out: its text; '' for an empty one. Control characters are always escaped, so the text
 * is safe in one line. Never compared to chain certificates: that is done on the DER.
 */
import { dotted, elementsOf, expect, hex, Malformed, oidOf, only, TAG } from './der.js';
import type { Element } from './der.js';

/** RFC 4514 §3. */
const SHORT_NAMES = new Map<string, string>([
  ['550403', 'CN'],
  ['550407', 'L'],
  ['550408', 'ST'],
  ['55040a', 'O'],
  ['55040b', 'OU'],
  ['550406', 'C'],
  ['550409', 'STREET'],
  ['0992268993f22c640119', 'DC'],
  ['0992268993f22c640101', 'UID'],
]);

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function nameText(name: Uint8Array): string {
  return elementsOf(only(name, TAG.sequence, 'a name').content)
    .reverse()
    .map(relativeText)
    .join(',');
}

function relativeText(relative: Element): string {
  const attributes = elementsOf(expect(relative, TAG.set, 'a part of a name').content);
  if (attributes.length === 0) throw new Malformed('a part of a name is empty');
  return attributes.map(attributeText).join('+');
}

function attributeText(attribute: Element): string {
  const [type, value, ...rest] = elementsOf(expect(attribute, TAG.sequence, 'an attribute of a name').content);
  const oid = oidOf(type, 'the type of an attribute');
  if (value === undefined || rest.length > 0) throw new Malformed('an attribute of a name has not two parts');
  const short = SHORT_NAMES.get(oid);
  const text = short === undefined ? undefined : stringOf(value);
  return text === undefined ? `${short ?? dotted(oid)}=#${hex(value.whole)}` : `${short}=${escape(text)}`;
}

/** undefined for the string types that nobody should use any more: their value is written as hex. */
function stringOf({ tag, content }: Element): string | undefined {
  if (tag !== TAG.utf8String && tag !== TAG.printableString && tag !== TAG.ia5String) return undefined;
  try {
    return UTF8.decode(content);
  } catch {
    throw new Malformed('an attribute of a name is not UTF-8');
  }
}

/** Most names hold nothing that needs an escape. */
const PLAIN = /^[A-Za-z0-9.()-](?:[A-Za-z0-9.() -]*[A-Za-z0-9.()-])?$/;

function escape(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replace(/[\\"+,;<>]|^[ #]| $/g, (character) => `\\${character}`)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      [...Buffer.from(character)].map((octet) => `\\${octet.toString(16).padStart(2, '0')}`).join(''),
    );
}
