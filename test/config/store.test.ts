/** Where pins are kept: what may be written as `store`, and what is refused at its place. */
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { BASE, issuesFrom, load, markedIssues, settingsFrom } from './load.js';

const storeFrom = (store: string) => settingsFrom(`${BASE}store: ${store}\n`).store;
const NO_FILES = { ca: null, usernameFile: null, passwordFile: null, keyFile: null };

describe('a store', () => {
  it('is the memory of this process where nobody says otherwise', () => {
    expect(settingsFrom(BASE).store).toEqual({ kind: 'memory' });
    expect(storeFrom('memory')).toEqual({ kind: 'memory' });
  });

  test.each([
    ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, database: 0, tls: false }],
    ['redis://localhost:7000/3', { host: 'localhost', port: 7000, database: 3, tls: false }],
    ['"redis://[::1]:7000"', { host: '::1', port: 7000, database: 0, tls: false }],
    ['rediss://Redis.prod.example:6380/', { host: 'redis.prod.example', port: 6380, database: 0, tls: true }],
  ])('can be reached at %s', (url, where) => {
    expect(storeFrom(url)).toEqual({ kind: 'redis', ...where, ...NO_FILES });
    expect(storeFrom(`{ url: ${url} }`)).toEqual({ kind: 'redis', ...where, ...NO_FILES });
  });

  it('has its files beside the configuration', () => {
    const loaded = load(
      `${BASE}store: { url: "rediss://r", ca: ca.pem, usernameFile: user, passwordFile: password, keyFile: key }\n`,
    );
    if (!loaded.ok) throw new Error('refused');
    const at = (name: string): string => join(loaded.folder, name);
    expect(loaded.settings.store).toMatchObject({
      ca: at('ca.pem'),
      usernameFile: at('user'),
      passwordFile: at('password'),
      keyFile: at('key'),
    });
  });

  it('is warned of where it forgets, and where its names are not secret', () => {
    const warnings = (store: string): readonly string[] => settingsFrom(`${BASE}store: ${store}\n`).warnings;
    expect(warnings('memory')).toEqual([expect.stringMatching(/^store: memory forgets/)]);
    const fleet = 'tokens: [{ issuer: a, audiences: [x], keys: k.json, pinScope: fleet }]';
    expect(warnings(`memory\n${fleet}`)).toEqual([expect.anything(), expect.stringMatching(/pinScope: fleet needs/)]);
    expect(warnings(`{ url: "rediss://r", keyFile: key }\n${fleet}`)).toEqual([]);
    expect(warnings('rediss://r')).toEqual([expect.stringMatching(/^store.keyFile is not set/)]);
    expect(warnings('{ url: "rediss://r", keyFile: key }')).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['another word', '▸disk', /expected redis:\/\/ or rediss:\/\/HOST:PORT\/DB, got "disk"/],
    ['no host', '▸"rediss://"', /expected redis:\/\/ or rediss:\/\//],
    ['a port that is none', '▸rediss://r:65536', /expected redis:\/\/ or rediss:\/\//],
    ['port 0', '▸rediss://r:0', /expected redis:\/\/ or rediss:\/\//],
    ['a broken IPv6 address', '▸"rediss://[::x]"', /expected redis:\/\/ or rediss:\/\//],
    ['a query', '▸rediss://r/0?x=1', /expected redis:\/\/ or rediss:\/\//],
    ['the clear to another host', '▸redis://10.0.0.1', /expected rediss:\/\/, or redis:\/\/ to a loopback address/],
    ['a host that only looks like loopback', '▸redis://127.0.0.1.example', /to a loopback address/],
    ['the clear, in a mapping', '{ url: ▸redis://r }', /^store\.url: expected rediss:\/\//],
    ['credentials in the URL', '▸rediss://user:hunter2@r', /expected no credentials in the URL/],
    ['a list', '▸[memory]', /expected memory, a URL or a mapping with one, got a list/],
    ['an unknown key', '{ url: "rediss://r", ▸cert: ca.pem }', /^unknown key "cert" in store/],
    ['a file that is a number', '{ url: "rediss://r", ca: ▸7 }', /^store\.ca: expected a text, got 7/],
  ])('is refused at its place: %s', (_, marked, message) => {
    const { expected, got, messages } = markedIssues(`${BASE}store: ${marked}\n`);
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(got).toEqual(expected);
  });

  it('needs a URL in its mapping', () => {
    const { messages } = markedIssues(`${BASE}▸store: { ca: ca.pem }\n`);
    expect(messages).toEqual([expect.stringMatching(/^store\.url is required/)]);
  });

  it('never has its password shown', () => {
    const [issue] = issuesFrom(`${BASE}store: rediss://user:hunter2@redis:6379/0\n`);
    expect(JSON.stringify(issue)).not.toContain('hunter2');
  });
});
