/**
 * What the protocol says about every field that we rely on: full message name → field → number and type; messages and enums
 * by their last name, a map by its entry's. Data. The encoder writes by these numbers, fields.ts proves that `proto/` says
 * the same, and the tests decode what was written with the library of the proto files.
 */
export const FIELDS = {
  'envoy.service.auth.v3.CheckRequest': { attributes: [1, 'AttributeContext'] },
  'envoy.service.auth.v3.AttributeContext': {
    source: [1, 'Peer'],
    destination: [2, 'Peer'],
    request: [4, 'Request'],
  },
  'envoy.service.auth.v3.AttributeContext.Peer': { principal: [4, 'string'], certificate: [5, 'string'] },
  'envoy.service.auth.v3.AttributeContext.Request': { http: [2, 'HttpRequest'] },
  'envoy.service.auth.v3.AttributeContext.HttpRequest': {
    method: [2, 'string'],
    headers: [3, 'repeated Headers'],
    path: [4, 'string'],
    host: [5, 'string'],
    header_map: [13, 'HeaderMap'],
  },
  'envoy.service.auth.v3.AttributeContext.HttpRequest.Headers': { key: [1, 'string'], value: [2, 'string'] },
  'envoy.config.core.v3.HeaderMap': { headers: [1, 'repeated HeaderValue'] },
  'envoy.config.core.v3.HeaderValue': { key: [1, 'string'], value: [2, 'string'], raw_value: [3, 'bytes'] },
  'envoy.config.core.v3.HeaderValueOption': {
    header: [1, 'HeaderValue'],
    append: [2, 'BoolValue'],
    append_action: [3, 'HeaderAppendAction'],
  },
  'envoy.service.auth.v3.CheckResponse': {
    status: [1, 'Status'],
    denied_response: [2, 'DeniedHttpResponse'],
    ok_response: [3, 'OkHttpResponse'],
    dynamic_metadata: [4, 'Struct'],
  },
  'envoy.service.auth.v3.DeniedHttpResponse': {
    status: [1, 'HttpStatus'],
    headers: [2, 'repeated HeaderValueOption'],
    body: [3, 'string'],
  },
  'envoy.service.auth.v3.OkHttpResponse': {
    headers: [2, 'repeated HeaderValueOption'],
    headers_to_remove: [5, 'repeated string'],
  },
  'envoy.type.v3.HttpStatus': { code: [1, 'StatusCode'] },
  'google.rpc.Status': { code: [1, 'int32'] },
  'google.protobuf.Struct': { fields: [1, 'repeated Fields'] },
  'google.protobuf.Struct.Fields': { key: [1, 'string'], value: [2, 'Value'] },
  'google.protobuf.Value': {
    number_value: [2, 'double'],
    string_value: [3, 'string'],
    bool_value: [4, 'bool'],
    list_value: [6, 'ListValue'],
  },
  'google.protobuf.ListValue': { values: [1, 'repeated Value'] },
  'google.protobuf.BoolValue': { value: [1, 'bool'] },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly [number: number, type: string]>>>>;
