/**
 * `firsthand inspect xfcc`. In: a value of x-forwarded-client-cert, text or JSON. Out: its elements from the oldest hop
 * to the newest, the chain that they draw, and where it does not link. Does NOT know the connection it came over: all of
 * it is hearsay, and a chain that links can still be made up.
 */
import { readSvid } from '../evidence/certificate.js';
import { readForwarded } from '../evidence/forwarded.js';
import type { ForwardedElement } from '../model/evidence.js';
import { parseSpiffeId } from '../model/ids.js';
import { certificateParts, sha256Of } from './inspect-cert.js';
import { readForwardedPem } from './inspect-pem.js';
import { fault, shownValue } from './inspection.js';
import type { Fact, Fault, Inspection, Part } from './inspection.js';

const HEADER = /^x-forwarded-client-cert:\s*/i;

export function inspectXfcc(input: string, now: number): Inspection {
  const value = input.trim().replace(HEADER, '');
  const format = value.startsWith('[') ? 'JSON' : 'text';
  const read = readForwarded(value);
  if (!read.ok) {
    const rule = read.reason === 'limit_exceeded' ? 'limits of the guard' : 'Envoy, x-forwarded-client-cert';
    const facts: Fact[] = [['format', format]];
    return { of: 'xfcc', parts: [{ title: 'header', facts, faults: [fault(read.detail, rule)] }] };
  }
  const elements = read.value;
  if (elements.length === 0)
    return { of: 'xfcc', parts: [{ title: 'header', facts: [], faults: [fault('the header is empty')] }] };
  const header: Part = {
    title: 'header',
    facts: [
      ['format', format],
      ['elements', elements.length],
      ['chain', chainText(elements)],
      ['trust', 'hearsay: only the certificate of the connection and the listed forwarders make it more'],
    ],
    faults: [],
  };
  return { of: 'xfcc', parts: [header, ...elements.flatMap((_, index) => elementParts(elements, index, now))] };
}

/** From the oldest hop to the newest; the last By is the Envoy that the header reached. */
function chainText(elements: readonly ForwardedElement[]): unknown {
  const words = elements.flatMap((element, index) => {
    const before = elements[index - 1];
    const link = before === undefined ? [] : [linkProblem(before, element) === undefined ? '→' : '✗'];
    return [...link, nameOf(element.uri)];
  });
  return shownValue([...words, '→', nameOf(elements.at(-1)?.by ?? [])].join(' '));
}

const nameOf = (names: readonly string[]): string => (names.length === 0 ? '?' : names.join('|'));

/** As the walk asks: the older element was written by whom the newer one names. */
function linkProblem(older: ForwardedElement, newer: ForwardedElement): string | undefined {
  if (older.by.length === 1 && newer.uri.length === 1 && older.by[0] === newer.uri[0]) return undefined;
  return `it does not link: its By is ${nameOf(older.by)}, the URI of the next element is ${nameOf(newer.uri)}`;
}

function elementParts(elements: readonly ForwardedElement[], index: number, now: number): Part[] {
  const element = elements[index];
  if (element === undefined) return [];
  const next = elements[index + 1];
  const link = next === undefined ? undefined : linkProblem(element, next);
  const age = elements.length === 1 ? '' : index === 0 ? ' (oldest hop)' : next === undefined ? ' (newest hop)' : '';
  const title = `element ${index + 1} of ${elements.length}`;
  const certificates = certificatesOf(element);
  return [
    {
      title: `${title}${age}`,
      facts: [
        ['uri', shownValue(element.uri)],
        ['by', shownValue(element.by)],
        ['hash', element.hash ?? 'none'],
        ['certificate', certificates.leaf === undefined ? 'not forwarded' : sha256Of(certificates.leaf)],
      ],
      faults: [
        ...nameFaults(element),
        ...(link === undefined ? [] : [fault(link, 'chain_broken')]),
        ...certificates.faults,
        ...leafFaults(element, certificates.leaf),
      ],
    },
    ...certificateParts(certificates.all, now, `${title}: `),
  ];
}

function nameFaults({ uri, by, hash }: ForwardedElement): Fault[] {
  const rule = 'chain_broken where this element is needed';
  const faults: Fault[] = [];
  if (uri.length !== 1) faults.push(fault(`it names ${uri.length} URIs, expected exactly one`, rule));
  else if (parseSpiffeId(uri[0] ?? '') === undefined)
    faults.push(fault('its URI is not the SPIFFE ID of a workload', `SPIFFE-ID §2; ${rule}`));
  if (by.length !== 1) faults.push(fault(`it has ${by.length} By fields, expected exactly one`, rule));
  else if (parseSpiffeId(by[0] ?? '') === undefined)
    faults.push(fault('its By is not the SPIFFE ID of a workload', `SPIFFE-ID §2; ${rule}`));
  if (hash === undefined) faults.push(fault('it has no Hash: nothing can be bound to its certificate', 'xfcc_anchor'));
  return faults;
}

interface Certificates {
  readonly leaf: Uint8Array | undefined;
  readonly all: readonly Uint8Array[];
  readonly faults: readonly Fault[];
}

/** Chain holds the leaf once more, and then its intermediates. */
function certificatesOf({ cert, chain }: ForwardedElement): Certificates {
  const own = cert === undefined ? undefined : readForwardedPem(cert);
  const rest = chain === undefined ? undefined : readForwardedPem(chain);
  const leaf = own?.certificates[0];
  const behind = (rest?.certificates ?? []).filter((der) => leaf === undefined || sha256Of(der) !== sha256Of(leaf));
  return {
    leaf,
    all: [...(own?.certificates ?? []), ...behind],
    faults: [...(own?.faults ?? []), ...(rest?.faults ?? [])],
  };
}

function leafFaults({ hash, uri }: ForwardedElement, leaf: Uint8Array | undefined): Fault[] {
  if (leaf === undefined) return [];
  const faults: Fault[] = [];
  if (hash !== undefined && hash !== sha256Of(leaf))
    faults.push(fault('its Hash is not the SHA-256 of its Cert', 'origin_certificate_invalid'));
  const svid = readSvid(leaf);
  if (svid.ok && uri.length === 1 && svid.facts.id !== uri[0])
    faults.push(fault(`its Cert names ${svid.facts.id}, not its URI`, 'origin_certificate_invalid'));
  return faults;
}
