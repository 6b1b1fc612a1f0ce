/**
 * Through a real Envoy over mTLS: the same requests to a listener with ext_authz and to one without, both answered by Envoy
 * itself. Out: latency at a fixed rate and requests a second, so that the difference is what Envoy and the guard add.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus, EnvoyWorld } from './corpus.js';
import type { EnvoyOrder } from './envoy-load.js';
import type { Tally } from './load.js';
import { median } from './measure.js';
import type { Plan } from './plan.js';
import { LOAD_CORES, SERVER_CORE, startServer } from './processes.js';
import type { Worker } from './processes.js';
import type { Subject } from './subjects.js';
import { freePorts } from '../demo/ports.js';
import { poll } from '../demo/poll.js';
import { connect } from 'node:net';

export type Way = 'without ext_authz' | 'with ext_authz';

export interface EnvoyResult {
  readonly perSecond: Readonly<Record<Way, number>>;
  /** ms. */
  readonly late: Readonly<Record<Way, { readonly p50: number; readonly p99: number; readonly p999: number }>>;
}

const RATE = 1000;
const ROUNDS = 3;
const CONNECTIONS = 32;

export async function throughEnvoy(
  envoy: string,
  guard: Subject,
  corpus: Corpus,
  worker: Worker<EnvoyOrder, Tally>,
  note: (tally: Tally, who: string) => void,
  plan: Plan,
  folder: string,
): Promise<EnvoyResult> {
  const world = corpus.envoy();
  const [plain = 0, guarded = 0] = await freePorts(2);
  const ports = { 'without ext_authz': plain, 'with ext_authz': guarded } as const;
  writeWorld(world, folder);
  writeFileSync(join(folder, 'envoy.json'), JSON.stringify(bootstrap(folder, guard.socket, ports)));
  const server = await guard.start();
  const proxy = await startServer('envoy', '', [envoy, '-c', join(folder, 'envoy.json'), ...ARGS], {
    core: LOAD_CORES[0] ?? SERVER_CORE,
    ready: 'starting main dispatch loop',
  });
  try {
    for (const port of Object.values(ports)) await poll('envoy', 10_000, () => accepts(port));
    const ask = async (way: Way, loop: EnvoyOrder['loop'], ms: number): Promise<Tally> => {
      const order = { port: ports[way], folder, requests: join(folder, 'envoy-requests.json'), loop, ms };
      const tally = await worker.ask({ ...order, connections: CONNECTIONS });
      note(tally, `envoy ${way}`);
      return tally;
    };
    return await alternate(ask, plan.envoy);
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

type AskEnvoy = (way: Way, loop: EnvoyOrder['loop'], ms: number) => Promise<Tally>;
const WAYS: readonly Way[] = ['without ext_authz', 'with ext_authz'];

async function alternate(ask: AskEnvoy, ms: number): Promise<EnvoyResult> {
  const rates = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
  const lates = new Map<Way, NonNullable<Tally['latency']>[]>(WAYS.map((way) => [way, []]));
  for (const way of WAYS) await ask(way, 'closed', ms / 2);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const way of WAYS) {
      rates.get(way)?.push(((await ask(way, 'closed', ms)).answers / ms) * 1000);
      const { latency } = await ask(way, { rate: RATE }, ms);
      if (latency !== undefined) lates.get(way)?.push(latency);
    }
  const late = (way: Way) => {
    const of = (part: 'p50' | 'p99' | 'p999') => median((lates.get(way) ?? []).map((each) => each[part]));
    return { p50: of('p50'), p99: of('p99'), p999: of('p999') };
  };
  const each = <T>(of: (way: Way) => T) =>
    ({ 'without ext_authz': of('without ext_authz'), 'with ext_authz': of('with ext_authz') }) as const;
  return { perSecond: each((way) => median(rates.get(way) ?? [])), late: each(late) };
}

const ARGS = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'info'];

function writeWorld(world: EnvoyWorld, folder: string): void {
  for (const [name, text] of Object.entries(world.files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  writeFileSync(join(folder, 'envoy-requests.json'), JSON.stringify(world.requests));
}

const accepts = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(undefined));
    socket.once('connect', () => socket.destroy());
  });

const typed = (type: string, value: object): object => ({ '@type': `type.googleapis.com/${type}`, ...value });

function bootstrap(folder: string, socket: string, ports: Readonly<Record<Way, number>>): object {
  return {
    static_resources: {
      listeners: WAYS.map((way) => listener(folder, ports[way], way === 'with ext_authz')),
      clusters: [
        {
          name: 'firsthand',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              { explicit_http_config: { http2_protocol_options: {} } },
            ),
          },
          load_assignment: {
            cluster_name: 'firsthand',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
          },
        },
      ],
    },
  };
}

function listener(folder: string, port: number, guarded: boolean): object {
  const file = (name: string): object => ({ filename: join(folder, name) });
  return {
    name: guarded ? 'guarded' : 'plain',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        transport_socket: {
          name: 'tls',
          typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
            require_client_certificate: true,
            common_tls_context: {
              tls_certificates: [{ certificate_chain: file('guard.pem'), private_key: file('guard.key') }],
              validation_context: { trusted_ca: file('prod.pem') },
            },
          }),
        },
        filters: [{ name: 'hcm', typed_config: connectionManager(guarded) }],
      },
    ],
  };
}

function connectionManager(guarded: boolean): object {
  const authorization = {
    name: 'envoy.filters.http.ext_authz',
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      include_peer_certificate: true,
      encode_raw_headers: true,
      grpc_service: { envoy_grpc: { cluster_name: 'firsthand' }, timeout: '1s' },
    }),
  };
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}),
  };
  return typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'bench',
    forward_client_cert_details: 'APPEND_FORWARD',
    set_current_client_cert_details: { uri: true },
    normalize_path: true,
    http_filters: guarded ? [authorization, router] : [router],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } }],
        },
      ],
    },
  });
}
