import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configWith, listenWith, makeFolder, tokensWith } from './folder.js';
import type { Folder } from './folder.js';
import { refusedStart, run, startGuard } from './guard.js';
import type { Ended } from './guard.js';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const linesOf = ({ stderr }: Ended): string[] => stderr.split('\n').filter((line) => line !== '');

/** One line for each problem, on stderr alone, no stack of ours. */
function expectRefusal(ended: Ended, code: number, ...problems: (string | RegExp)[]): void {
  const lines = linesOf(ended);
  expect(lines).toHaveLength(problems.length);
  problems.forEach((problem, index) => expect(lines[index]).toMatch(problem));
  expect(ended.stderr).not.toMatch(/^\s+at /m);
  expect(ended.stdout).toBe('');
  expect(ended.code).toBe(code);
}

describe.concurrent('the command line', () => {
  test('version tells version, build and Node on stdout', async () => {
    const { code, stdout, stderr } = await run(['version']);
    expect(stdout).toMatch(/^firsthand 0\.1\.0 \(build [0-9a-f]{12}, node v[0-9.]+\)\n$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('an unknown command is refused in one line', async () => {
    expectRefusal(await run(['sreve']), 2, /^firsthand: unknown command 'sreve' .*serve/);
  });

  test('an unknown option is refused in one line', async () => {
    expectRefusal(
      await run(['serve', '--config', 'x', '--confg', 'y']),
      2,
      /^firsthand: unknown option '--confg' .*--config/,
    );
  });

  test('serve without a configuration is refused in one line', async () => {
    expectRefusal(await run(['serve']), 2, /^firsthand: .*--config/);
  });

  test('an argument that serve does not take is refused in one line', async () => {
    expectRefusal(await run(['serve', '--config', 'x', 'y']), 2, /^firsthand: too many arguments/);
  });

  test.each([[[]], [['serve']], [['version']]])('%j --help has an example', async (command) => {
    const { code, stdout, stderr } = await run([...command, '--help']);
    expect(stdout).toContain(`Example:\n  firsthand ${command[0] ?? 'serve'}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each([['0'], ['1.5'], ['-1'], ['half']])('a share of %s of the checks is refused', async (share) => {
    const config = folder.config(configWith());
    const ended = await run(['serve', '--config', config, '--record', 'x', `--record-sample=${share}`]);
    expectRefusal(ended, 2, /--record-sample: expected a number above 0, at most 1/);
  });

  test('a folder for recordings that can not be written is refused', async () => {
    const config = folder.config(configWith());
    expectRefusal(await run(['serve', '--config', config, '--record', config]), 2, /--record .*EEXIST/);
  });
});

describe.concurrent('a start that is refused with exit code 2', () => {
  test('a share of what is kept without a folder to keep it in is refused', async () => {
    const args = ['serve', '--config', folder.file('none.yaml'), '--record-sample', '0.1'];
    expectRefusal(await run(args), 2, /^firsthand: --record-sample .* name a folder with --record/);
  });

  test('a configuration that does not exist', async () => {
    expectRefusal(await run(['serve', '--config', folder.file('none.yaml')]), 2, /none\.yaml:1:1: error: .*ENOENT/);
  });

  test('three mistakes in the configuration are told at once, each with its place', async () => {
    const text = [
      'lisen: { admin: off }',
      'trust: { prod.example: { bundle: prod.pem } }',
      'tokens:',
      '  - { issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders], algorithms: [HS256] }',
      'policy: { scopes: scopes, maxLastGood: 1 day }',
      '',
    ].join('\n');
    const ended = await refusedStart(folder, text);
    expectRefusal(
      ended,
      2,
      /^\S+\.yaml:1:1: error: .*lisen.*listen/,
      /^\S+\.yaml:4:\d+: error: .*HS256/,
      /^\S+\.yaml:5:\d+: error: .*1 day/,
    );
  });

  test('a name that the environment does not have', async () => {
    const ended = await refusedStart(folder, configWith({ environment: '${FIRSTHAND_NOT_SET}' }));
    expectRefusal(ended, 2, /\.yaml:\d+:\d+: error: .*FIRSTHAND_NOT_SET/);
  });

  test('files that do not exist, one line for each', async () => {
    const config = configWith({
      trust: { 'prod.example': { bundle: 'none.pem' } },
      tokens: [tokensWith({ keys: 'none.json' })],
      policy: { scopes: 'none' },
    });
    const ended = await refusedStart(folder, config);
    expectRefusal(ended, 2, /none: the file does not exist/, /none\.pem: .*exist/, /none\.json: .*exist/);
  });

  test.each([
    ['a bundle that is no PEM', 'bad.pem', 'not a certificate\n'],
    ['an emptied bundle', 'empty.pem', ''],
  ])('%s', async (_, name, content) => {
    folder.write(name, content);
    const ended = await refusedStart(folder, configWith({ trust: { 'prod.example': { bundle: name } } }));
    expectRefusal(ended, 2, new RegExp(`^firsthand: .*${name}: `));
  });

  test.each([
    ['keys that are no JSON', 'text.json', 'keys'],
    ['keys without a list', 'object.json', '{}'],
    ['emptied keys', 'empty.json', ''],
  ])('%s', async (_, name, content) => {
    folder.write(name, content);
    const ended = await refusedStart(folder, configWith({ tokens: [tokensWith({ keys: name })] }));
    expectRefusal(ended, 2, new RegExp(`^firsthand: .*${name}: `));
  });

  test('a secret file that is empty', async () => {
    folder.write('empty-secret', '\n');
    const listen = listenWith({ check: ['127.0.0.1:0'], secretFile: 'empty-secret' });
    expectRefusal(await refusedStart(folder, configWith({ listen })), 2, /empty-secret: expected one line/);
  });

  test('a TLS certificate that does not exist', async () => {
    const tls = { certificate: 'none.crt', key: 'none.key' };
    const listen = listenWith({ check: ['127.0.0.1:0'], tls });
    expectRefusal(await refusedStart(folder, configWith({ listen })), 2, /none\.crt/);
  });

  test('a TLS key that is not the certificate’s', async () => {
    const other = await folder.ca.issue();
    folder.write('server.crt', folder.frontend.pem);
    folder.write('other.key', other.keyPem);
    const listen = listenWith({ check: ['127.0.0.1:0'], tls: { certificate: 'server.crt', key: 'other.key' } });
    expectRefusal(await refusedStart(folder, configWith({ listen })), 2, /TLS|listen\.tls/);
  });

  test('an audit file whose folder does not exist', async () => {
    const ended = await refusedStart(folder, configWith({ audit: { to: 'file:nowhere/audit' } }));
    expectRefusal(ended, 2, /^firsthand: the audit file .*nowhere\/audit can not be opened for writing: ENOENT/);
  });
});

describe('an address that cannot be listened on, exit code 3', () => {
  test('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const listen = listenWith({ check: [`127.0.0.1:${port}`], plaintext: true });
    expectRefusal(await refusedStart(folder, configWith({ listen })), 3, /cannot listen on 127\.0\.0\.1:\d+: .*in use/);
    server.close();
  });

  test('a regular file is not replaced', async () => {
    folder.write('regular.sock', 'precious');
    const ended = await refusedStart(folder, configWith({ listen: listenWith({ check: ['unix:regular.sock'] }) }));
    expectRefusal(ended, 3, /regular\.sock: there is a file that is not a socket/);
  });

  test('a folder that does not exist', async () => {
    const ended = await refusedStart(folder, configWith({ listen: listenWith({ check: ['unix:no/check.sock'] }) }));
    expectRefusal(ended, 3, /the directory .* does not exist/);
  });

  test('a living guard keeps its socket, a killed one is replaced', async () => {
    const config = configWith({ listen: listenWith({ check: ['unix:shared.sock'], admin: 'off' }) });
    const first = await startGuard(folder, config);
    expectRefusal(await refusedStart(folder, config), 3, /shared\.sock: another process is listening there/);
    expect(await first.reasonFor(await folder.call())).toBe('allowed');
    first.signal('SIGKILL');
    expect((await first.ended).code).toBeNull();
    const second = await startGuard(folder, config);
    expect(await second.reasonFor(await folder.call())).toBe('allowed');
    expect((await second.stop()).code).toBe(0);
  });

  test('one refused listener leaves no other behind', async () => {
    mkdirSync(folder.file('blocked'));
    writeFileSync(folder.file('blocked/admin.sock'), '');
    chmodSync(folder.file('blocked'), 0o755);
    const listen = listenWith({ check: ['unix:left.sock'], admin: 'unix:blocked/admin.sock' });
    expectRefusal(await refusedStart(folder, configWith({ listen })), 3, /admin\.sock/);
    const guard = await startGuard(
      folder,
      configWith({ listen: listenWith({ check: ['unix:left.sock'], admin: 'off' }) }),
    );
    expect((await guard.stop()).code).toBe(0);
  });
});
