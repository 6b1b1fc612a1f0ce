/**
 * One check switched off, by a patch of the source. Data: the demo builds a guard of its own with the patch and must then
 * fail, or the check is not needed, or the demo does not look. Nothing of this is in src/, so no build can contain it.
 * Kept in step with the source by test/mutation/sabotage.test.ts.
 */
export interface Sabotage {
  readonly name: string;
  /** What the patch switches off. */
  readonly breaks: string;
  /** Under src/. */
  readonly file: string;
  /** Exact text that is there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Rows of the demo, or all of them of `--theft`, of which at least one must notice. */
  readonly noticed: readonly string[];
}

/** A decision cache whose key lacks some of its parts. */
const keyWithout = (name: string, breaks: string, parts: readonly string[], noticed: readonly string[]): Sabotage => ({
  name,
  breaks,
  file: 'state/decision-cache.ts',
  find: 'for (const part of parts) text',
  replace: `for (const part of parts) if (!${JSON.stringify(parts)}.includes(part)) text`,
  noticed,
});

export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'peer-validity',
    breaks: 'the validity of the peer certificate is not looked at on each request',
    file: 'origin/certificate-times.ts',
    find: "if (instant.reached(notAfter + 1, 'certificate.notAfter')) {",
    replace: 'if (notAfter < 0) {',
    noticed: ['it expired, the connection did not'],
  },
  {
    name: 'trust-domains',
    breaks: 'the bundles of all trust domains are merged into one',
    file: 'state/frozen.ts',
    find: '{ anchors, intermediates: between }',
    replace:
      '{ anchors: [...bundles.values()].flatMap(({ source: { current } }) => current(now)?.anchors ?? []), intermediates: between }',
    noticed: ["our name, signed by the partner's root"],
  },
  {
    name: 'forwarder-list',
    breaks: 'everybody may speak for somebody else, not only listed forwarders',
    file: 'origin/chain.ts',
    find: 'settings.forwarders.get(current);',
    replace: `settings.forwarders.get(current) ?? (elements.length === read.length ? undefined :
      { id: current, origins: [...settings.forwarders.values()].flatMap(({ origins }) => origins), behind: new Set(), originCertificate: 'optional' });`,
    noticed: ['forged history', 'forged history on a workload line'],
  },
  {
    name: 'forwarder-origins',
    breaks: 'a forwarder may speak for every workload',
    file: 'origin/verify.ts',
    find: '!origins.some((pattern) => matchesId(pattern, id, guardDomain))',
    replace: 'origins.length < 0',
    noticed: ['partner through a gateway that may not speak for it'],
  },
  {
    name: 'outside',
    breaks: 'traffic from beyond the mesh is let in on every line',
    file: 'policy/unmet-origin.ts',
    find: "if (origin.kind === 'workload') return undefined;",
    replace: 'return undefined;',
    noticed: ['from outside, elsewhere'],
  },
  {
    name: 'token-signature',
    breaks: 'the signature of the token is not verified',
    file: 'origin/token.ts',
    find: 'right ? readSigned(',
    replace: "right || kid !== '' ? readSigned(",
    noticed: ['token signed by a stranger'],
  },
  {
    name: 'token-expiry',
    breaks: 'an expired token is taken',
    file: 'origin/token-times.ts',
    find: "instant.reached(expires + clockSkew, 'token.exp')",
    replace: 'false',
    noticed: ['expired token'],
  },
  {
    name: 'token-audience',
    breaks: 'a token for another audience is taken',
    file: 'origin/token.ts',
    find: 'hasAudience(token.claimed, issuer.audiences)',
    replace: 'hasAudience(token.claimed, issuer.audiences) || issuer.audiences.length > 0',
    noticed: ['token of another audience'],
  },
  {
    name: 'issuer-grants',
    breaks: 'an issuer may give every scope',
    file: 'origin/token-claims.ts',
    find: ' && issuer.grants.some((grant) => matchesScope(grant, word))',
    replace: '',
    noticed: ['more scopes than the issuer may grant'],
  },
  {
    name: 'token-binding',
    breaks: 'a bound token is taken from every certificate',
    file: 'origin/binding.ts',
    find: 'if (origin.sha256 === demanded)',
    replace: 'if (origin.sha256 !== undefined)',
    noticed: ['stolen bound token', 'same workload, another certificate'],
  },
  {
    name: 'token-pin',
    breaks: 'an unbound token may change its presenter',
    file: 'state/pin-rules.ts',
    find: '(isSame(first.presenter, presenter) || sharedWith(first.presenter.id))',
    replace: 'true',
    noticed: ['stolen unbound token'],
  },
  {
    name: 'token-name',
    breaks: 'a token is named by its whole text, its signature included',
    file: 'evidence/token.ts',
    find: 'tokenName(claimed.value, `${header64}.${payload64}`)',
    replace: 'tokenName({}, text)',
    noticed: ['the twin signature'],
  },
  {
    name: 'token-spelling',
    breaks: 'a token is read in spellings that a lenient decoder takes',
    file: 'evidence/token.ts',
    find: '![header64, payload64, signature64].every(isCanonical)',
    replace: 'false',
    noticed: ['one spare bit', 'all spare bits'],
  },
  {
    name: 'store',
    breaks: 'each guard remembers pins for itself, whatever store is configured',
    file: 'store.ts',
    find: "if (store.kind === 'memory')",
    replace: "if (store.kind !== 'nowhere')",
    noticed: ['stolen, at the second that never saw it'],
  },
  {
    name: 'scopes',
    breaks: 'the scopes of the token are not compared with the line',
    file: 'policy/unmet-token.ts',
    find: 'if (enough) return undefined;',
    replace: 'return undefined;',
    noticed: ['missing scope', 'gRPC call without the scope'],
  },
  {
    name: 'from',
    breaks: 'from= lets every caller in',
    file: 'policy/unmet-origin.ts',
    find: "if (from === null || origin.kind === 'outside') return undefined;",
    replace: 'return undefined;',
    noticed: ['forged history on a workload line'],
  },
  {
    name: 'age',
    breaks: 'age<= takes tokens of every age',
    file: 'policy/unmet-token.ts',
    find: 'if (maxAge === null) return undefined;',
    replace: 'return undefined;',
    noticed: ['old token where age counts'],
  },
  {
    name: 'bound',
    breaks: 'bound takes tokens without a binding',
    file: 'policy/unmet-token.ts',
    find: 'if (demanded === null) return undefined;',
    replace: 'return undefined;',
    noticed: ['unbound token where binding is asked', 'bound, but not directly'],
  },
  {
    name: 'once',
    breaks: 'once lets a token be used again',
    file: 'state/pins.ts',
    find: 'uses.get(name, now) === undefined',
    replace: 'true',
    noticed: ['the same token once more'],
  },
  {
    name: 'guardrails',
    breaks: "the operator's guardrails are not asked",
    file: 'policy/decide.ts',
    find: 'for (const guardrail of guardrails) {',
    replace: 'for (const guardrail of guardrails.slice(guardrails.length)) {',
    noticed: ['guardrail of the operator'],
  },
  {
    name: 'data-ceiling',
    breaks: 'a trust domain reaches data above its ceiling',
    file: 'policy/ceilings.ts',
    find: 'ceiling.data !== null && rankOf(route.data) > rankOf(ceiling.data)',
    replace: 'false',
    noticed: ['partner above its data ceiling'],
  },
  {
    name: 'scope-ceiling',
    breaks: 'a trust domain gets scopes above its ceiling',
    file: 'policy/ceilings.ts',
    find: 'ceiling.scopes.every(',
    replace: 'true || ceiling.scopes.every(',
    noticed: ['partner above its scope ceiling'],
  },
  {
    name: 'path-parameters',
    breaks: 'a path with ";" is read in one of its ways',
    file: 'model/path.ts',
    find: '/[\\\\#;]/',
    replace: '/[\\\\#]/',
    noticed: ['path with ";"'],
  },
  {
    name: 'path-encoding',
    breaks: 'a path that is encoded twice is read in one of its ways',
    file: 'model/path.ts',
    find: '/[/\\\\.;?#%]/',
    replace: '/[/\\\\.;?#]/',
    noticed: ['path encoded twice'],
  },
  {
    name: 'path-case',
    breaks: 'a path that differs from a declared one by its case is no reason to refuse',
    file: 'policy/lookup.ts',
    find: 'segments.some(mayDiffer) && differs()',
    replace: 'false',
    noticed: ['path in other letters'],
  },
  {
    name: 'method-form',
    breaks: 'methods in lower case are read as methods',
    file: 'request/shape.ts',
    find: '/^[A-Z]+$/',
    replace: '/^[A-Za-z]+$/',
    noticed: ['lower-case method'],
  },
  {
    name: 'method-override',
    breaks: 'headers that override the method pass',
    file: 'request/shape.ts',
    find: 'if (override === undefined) return undefined;',
    replace: 'return undefined;',
    noticed: ['method override'],
  },
  {
    name: 'two-credentials',
    breaks: 'a header that holds two credentials is read on',
    file: 'request/shape.ts',
    find: "values.length > 1 || values.some((value) => value.includes(','))",
    replace: 'false',
    noticed: ['two tokens'],
  },
  keyWithout(
    'cache-caller',
    'a cached decision counts for every caller',
    ['principal', 'certificate', 'forwarded'],
    ['stolen bound token', 'same workload, another certificate'],
  ),
  keyWithout(
    'cache-token',
    'a cached decision counts for every token',
    ['credentials'],
    ['token signed by a stranger'],
  ),
  keyWithout('cache-route', 'a cached decision counts for every line', ['line'], ['undeclared route']),
  keyWithout('cache-policy', 'a cached decision outlives its policy', ['policy'], ['a line that asks for more now']),
  {
    name: 'cache-expiry',
    breaks: 'a cached decision outlives what it was made on',
    file: 'state/decision-cache.ts',
    find: ' && now < entry.horizon.until',
    replace: '',
    noticed: ['it expired, the connection did not'],
  },
  {
    name: 'policy-reload',
    breaks: 'a changed annotation does not count',
    file: 'state/sources.ts',
    find: "settings.policy.reload !== 'restart'",
    replace: "settings.policy.reload !== 'live'",
    noticed: ['a line that asks for more now'],
  },
  {
    name: 'origin-told',
    breaks: 'the workload is not told who called',
    file: 'wire/answer.ts',
    find: "if (origin?.kind === 'workload') set.push(['x-firsthand-origin', origin.id]);",
    replace: '',
    noticed: ['direct call', 'claimed origin'],
  },
  {
    name: 'audit',
    breaks: 'denials leave no record',
    file: 'handle.ts',
    find: '(told: Whole | Found): void => {',
    replace: "(told: Whole | Found): void => { if (told.outcome.verdict.kind === 'deny') return;",
    noticed: ['no token', 'undeclared route'],
  },
];
