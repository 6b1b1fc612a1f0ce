/** --keep: everything stays up, with lines to try, until Ctrl-C. */
import type { Stage } from './stage.js';

export async function keep(stage: Stage): Promise<void> {
  console.log(curlLines(stage));
  await new Promise<void>((resolve) => {
    // In place of the demo's own handlers, and for every further signal: what is being taken down is not interrupted.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(signal).on(signal, resolve);
  });
  console.log('\nstopping');
}

/** The servers have SPIFFE IDs and no host names, which curl can not compare: hence --insecure. The demo itself verifies them. */
function curlLines({ materials, ports }: Stage): string {
  const curl = (what: string, as: string | null, port: number, token: string | null, request: string): string =>
    [
      `  # ${what}\n  curl --insecure -i`,
      ...(as === null ? [] : [`--cert $D/${as}.pem --key $D/${as}.key`]),
      ...(token === null ? [] : [`-H "authorization: Bearer $(cat $D/${token}.jwt)"`]),
      request.replace('/', `https://127.0.0.1:${port}/`),
    ].join(' ');
  return [
    'Everything is still running. To try:',
    '',
    `  D=${materials.folder}`,
    curl('allowed', 'frontend', ports.sidecar, 'bound', '/orders/1'),
    curl('allowed through the gateway too', 'frontend', ports.gateway, 'bound', '/orders/1'),
    curl('stolen: another certificate', 'thief', ports.sidecar, 'bound', '/orders/1'),
    curl('no token needed, frontend only', 'frontend', ports.sidecar, null, '/internal/stats'),
    curl('the guardrail', 'frontend', ports.sidecar, 'bound', '-X DELETE /orders/1'),
    curl('from outside', null, ports.public, 'overreaching', '/catalog/8'),
    `  # what the guard counted\n  curl http://127.0.0.1:${ports.admin}/metrics`,
    '',
    'Configuration: $D/firsthand.yaml, annotations: $D/podinfo/annotations. Certificates hold for an hour, tokens for half',
    'an hour. Ctrl-C ends it all.',
  ].join('\n');
}
