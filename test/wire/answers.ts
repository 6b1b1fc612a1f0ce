/** CheckResponse bytes → what Envoy would make of them, in a form that is easy to compare. */
import { CHECK_RESPONSE } from '../../src/wire/proto.js';

interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append: { readonly value: boolean } | null;
}
interface Value {
  readonly kind: 'number_value' | 'string_value' | 'bool_value' | 'list_value';
  readonly number_value: number;
  readonly string_value: string;
  readonly bool_value: boolean;
  readonly list_value: { readonly values: readonly Value[] };
}
interface Decoded {
  readonly status: { readonly code: number } | null;
  readonly http_response: 'denied_response' | 'ok_response' | undefined;
  readonly denied_response: {
    readonly status: { readonly code: number } | null;
    readonly headers: readonly HeaderOption[];
    readonly body: string;
  } | null;
  readonly ok_response: {
    readonly headers: readonly HeaderOption[];
    readonly headers_to_remove: readonly string[];
  } | null;
  readonly dynamic_metadata: { readonly fields: Readonly<Record<string, Value>> } | null;
}

export interface DecodedAnswer {
  /** Undefined without a status, which Envoy takes for an OK. */
  readonly code: number | undefined;
  readonly http_response: string | undefined;
  readonly httpStatus: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly appends: readonly (boolean | undefined)[];
  readonly removed: readonly string[];
  readonly body: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export function decodeAnswer(bytes: Buffer): DecodedAnswer {
  const decoded = CHECK_RESPONSE.deserialize(bytes) as Decoded;
  const options = decoded.denied_response?.headers ?? decoded.ok_response?.headers ?? [];
  return {
    code: decoded.status?.code,
    http_response: decoded.http_response,
    httpStatus: decoded.denied_response?.status?.code,
    headers: options.map(({ header }) => [header.key, header.value] as const),
    appends: options.map(({ append }) => append?.value),
    removed: decoded.ok_response?.headers_to_remove ?? [],
    body: decoded.denied_response?.body ?? '',
    metadata: Object.fromEntries(
      Object.entries(decoded.dynamic_metadata?.fields ?? {}).map(([key, value]) => [key, plain(value)]),
    ),
  };
}

function plain(value: Value): unknown {
  return value.kind === 'list_value' ? value.list_value.values.map(plain) : value[value.kind];
}
