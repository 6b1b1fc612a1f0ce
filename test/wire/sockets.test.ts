import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Address } from '../../src/model/settings.js';
import { openSocket } from '../../src/wire/sockets.js';
import type { OpenSocket } from '../../src/wire/sockets.js';

let directory: string;
const open: OpenSocket[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fh-'));
});
afterEach(() => {
  for (const socket of open.splice(0)) {
    socket.stopAccepting();
    socket.destroyConnections();
  }
  rmSync(directory, { recursive: true });
});

async function start(address: Address, mode = 0o660): Promise<OpenSocket> {
  const socket = await openSocket(
    address,
    mode,
    (connection) => connection.end('hello'),
    (error) => {
      throw error;
    },
  );
  open.push(socket);
  return socket;
}

const unix = (name: string): Extract<Address, { kind: 'unix' }> => ({ kind: 'unix', path: join(directory, name) });

async function greeting(where: string | { port: number; host: string }): Promise<string> {
  const socket = typeof where === 'string' ? connect(where) : connect(where);
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  await once(socket, 'end');
  return text;
}

/** A process that listens on the path until it is killed, which leaves the file behind. */
async function startOther(path: string): Promise<{ kill: () => Promise<void> }> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('a socket file', () => {
  test('is opened, used, and gone when accepting stops', async () => {
    const address = unix('check.sock');
    const socket = await start(address);
    expect(socket.address).toEqual(address);
    expect(await greeting(address.path)).toBe('hello');
    socket.stopAccepting();
    expect(existsSync(address.path)).toBe(false);
  });

  test.each([0o600, 0o660, 0o666, 0o777])('has mode %o whatever the umask, and the umask stays', async (mode) => {
    for (const umask of [0o000, 0o077]) {
      const before = process.umask(umask);
      try {
        const address = unix(`${mode}-${umask}.sock`);
        await start(address, mode);
        expect(statSync(address.path).mode & 0o777).toBe(mode);
        expect(process.umask()).toBe(umask);
      } finally {
        process.umask(before);
      }
    }
  });

  test('that a killed process left behind is replaced', async () => {
    const address = unix('check.sock');
    const other = await startOther(address.path);
    await other.kill();
    expect(statSync(address.path).isSocket()).toBe(true);
    await start(address);
    expect(await greeting(address.path)).toBe('hello');
  });

  test('that a living process listens on is left alone', async () => {
    const address = unix('check.sock');
    const other = await startOther(address.path);
    try {
      await expect(start(address)).rejects.toThrow(
        `cannot listen on unix:${address.path}: another process is listening there`,
      );
      expect(statSync(address.path).isSocket()).toBe(true);
    } finally {
      await other.kill();
    }
  });

  test('that this very process listens on is left alone', async () => {
    const address = unix('check.sock');
    await start(address);
    await expect(start(address)).rejects.toThrow('another process is listening there');
    expect(await greeting(address.path)).toBe('hello');
  });

  test('is not put in place of a file, a directory or a link', async () => {
    writeFileSync(unix('file').path, 'precious');
    mkdirSync(unix('directory').path);
    symlinkSync(join(directory, 'nowhere'), unix('link').path);
    for (const name of ['file', 'directory', 'link']) {
      await expect(start(unix(name))).rejects.toThrow('there is a file that is not a socket');
      expect(existsSync(unix('file').path)).toBe(true);
    }
  });

  test('needs its directory', async () => {
    writeFileSync(unix('file').path, '');
    await expect(start(unix('missing/check.sock'))).rejects.toThrow(
      `cannot listen on unix:${directory}/missing/check.sock: the directory ${directory}/missing does not exist`,
    );
    await expect(start(unix('file/check.sock'))).rejects.toThrow(`the directory ${directory}/file does not exist`);
  });

  test.skipIf(process.getuid?.() === 0)('needs the right to write there', async () => {
    mkdirSync(unix('closed').path);
    chmodSync(unix('closed').path, 0o500);
    await expect(start(unix('closed/check.sock'))).rejects.toThrow('does not have the right to');
  });

  test('has a path of at most 107 bytes; a longer one would be cut', async () => {
    const named = (bytes: number): Address => unix('x'.repeat(bytes - Buffer.byteLength(directory) - 1));
    await start(named(107));
    await expect(start(named(108))).rejects.toThrow('the path has more than 107 bytes');
  });
});

describe('a port', () => {
  test('is chosen by the system where 0 is asked for, and then taken', async () => {
    const { address } = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (address.kind !== 'tcp') throw new Error('expected a port');
    expect(address.port).toBeGreaterThan(0);
    expect(await greeting(address)).toBe('hello');
    await expect(start(address)).rejects.toThrow(`cannot listen on 127.0.0.1:${address.port}: the address is in use`);
  });

  test('of an address that this machine does not have is refused', async () => {
    await expect(start({ kind: 'tcp', host: '192.0.2.1', port: 0 })).rejects.toThrow(
      'this machine does not have the address',
    );
  });
});
