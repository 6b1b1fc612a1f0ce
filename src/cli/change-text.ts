/** A proposed change in words. In: a change. Out: one line for each thing to do. Does NOT say whether to do it. */
import { pathText } from '../workbench/change.js';
import type { Change, ConfigValue, TokenChange } from '../workbench/change.js';
import { shownList } from '../workbench/shown.js';
import { durationText } from '../model/duration.js';

export function changeLines(change: Change): string[] {
  switch (change.kind) {
    case 'line':
      return [`line ${change.number} becomes: ${change.text}`];
    case 'add line':
      return [`new line: ${change.text}`];
    case 'token':
      return [`token: ${tokenText(change.token)}`];
    case 'caller': {
      const { certificate, lifetime, via } = change.caller;
      const lived = lifetime === undefined ? '' : ` that lives at most ${durationText(lifetime)}`;
      const way =
        via === undefined ? [] : [via.length === 0 ? 'caller: calls directly' : `caller: via ${via.join(', ')}`];
      return [
        ...(certificate === undefined ? [] : [`caller: a ${certificate === 'new' ? 'new ' : ''}certificate${lived}`]),
        ...way,
      ];
    }
    case 'request': {
      const { method, path, host, without, once } = change.request;
      return [
        ...(method === undefined ? [] : [`request: method ${method}`]),
        ...(path === undefined ? [] : [`request: path ${path}`]),
        ...(host === undefined ? [] : [`request: host ${host}`]),
        ...(without === undefined ? [] : [`request: without ${without.join(', ')}`]),
        ...(once === undefined ? [] : [`request: ${once} once`]),
      ];
    }
    case 'envoy':
      return [
        `Envoy ${change.at === 'guard' ? 'in front of the guard' : change.at}: ${change.setting}: ${change.value}`,
      ];
    case 'config':
      return [`config: ${pathText(change.path)}: ${valueText(change.value)}`];
    case 'file':
      return [`file: ${change.file} (${change.holds})`];
    case 'several':
      return change.changes.flatMap(changeLines);
  }
}

function tokenText({
  issuer,
  from,
  scopes,
  audience,
  type,
  algorithm,
  lifetime,
  bound,
  workload,
}: TokenChange): string {
  const parts = [
    issuer && `of ${issuer}`,
    from && `in ${from}`,
    scopes && scopes.length > 0 ? `scopes ${shownList(scopes, 20)}` : undefined,
    audience && `aud ${audience}`,
    type && `typ ${type}`,
    algorithm && `alg ${algorithm}`,
    lifetime === undefined ? undefined : `living at most ${durationText(lifetime)}`,
    bound === true ? "bound to the origin's certificate" : undefined,
    workload && `naming ${workload}`,
  ].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? 'a new one' : parts.join(', ');
}

const valueText = (value: ConfigValue): string => JSON.stringify(value);
