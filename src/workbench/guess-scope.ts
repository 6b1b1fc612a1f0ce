/**
 * A scope's name where nobody gave one. In: a method and a path, or a gRPC method. Out: `orders.read`,
 * `orders.refunds.write`: as narrow as the path says, so that a wrong guess gives too little and not too much.
 */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'SEARCH', 'REPORT', 'PROPFIND']);

/** Segments that name no resource. */
const NO_RESOURCE = /^(?:api|rest|v\d+(?:(?:alpha|beta)\d*)?)$/i;
const MAX_WORDS = 3;

export function guessScope(method: string, path: string): string {
  const words = path
    .split('/')
    .filter((word) => !word.startsWith('{') && word !== '**' && !NO_RESOURCE.test(word))
    .map(plain)
    .filter((word) => word !== '');
  const resource = words.length === 0 ? 'service' : words.slice(0, MAX_WORDS).join('.');
  return `${resource}.${method === 'DELETE' ? 'delete' : READING.has(method) ? 'read' : 'write'}`;
}

const plain = (word: string): string =>
  word
    .replaceAll(/%[0-9A-F]{2}/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '');

const READS =
  /^(?:Get|List|Search|Find|Query|Read|Watch|Lookup|Check|Count|Describe|Stream|Subscribe|BatchGet)(?![a-z])/;
const DELETES = /^(?:Delete|Remove|Purge|BatchDelete)(?![a-z])/;

/** `shop.v1.CartService` and `GetCart` → `cart.read`. */
export function guessGrpcScope(service: string, method: string): string {
  const name = (service.split('.').at(-1) ?? service).replace(/(?:Service|Api|API)$/, '');
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  return `${words === '' ? 'service' : words}.${DELETES.test(method) ? 'delete' : READS.test(method) ? 'read' : 'write'}`;
}
