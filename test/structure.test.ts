/**
 * The shape of the house (src/README.md): who may know whom, which library lives where, and who reads the clock, the process
 * and chance. Read from the syntax of every file in src/, so that an import in the wrong direction is found by name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

interface Import {
  readonly from: string;
  /** A file under src/, or the name of a package. */
  readonly to: string;
  readonly kind: 'file' | 'package';
  readonly typeOnly: boolean;
  /** Loaded when it is needed, not with the file. */
  readonly late: boolean;
}

const files: readonly string[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort();
const sources = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.ES2023, true),
  ]),
);
const imports: readonly Import[] = [...sources].flatMap(([file, source]) => [
  ...source.statements.flatMap((statement) => importOf(file, statement)),
  ...lateImportsOf(file, source),
]);

/** Imports at run time: what is loaded only where it is needed. */
function lateImportsOf(file: string, source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const [to] =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments : [];
    if (to !== undefined && ts.isStringLiteral(to)) found.push({ ...importFrom(file, to.text, false), late: true });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function importFrom(file: string, text: string, typeOnly: boolean): Import {
  if (!text.startsWith('.')) return { from: file, to: text, kind: 'package', typeOnly, late: false };
  const to = posix.join(posix.dirname(file), text).replace(/\.js$/, '.ts');
  return { from: file, to, kind: 'file', typeOnly, late: false };
}

function importOf(file: string, statement: ts.Statement): Import[] {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
  const { moduleSpecifier } = statement;
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
  const { text } = moduleSpecifier;
  const typeOnly = ts.isExportDeclaration(statement)
    ? statement.isTypeOnly
    : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return [importFrom(file, text, typeOnly)];
}

/** The first folder, or for a file beside main.ts its own name. */
const roomOf = (file: string): string => file.split('/')[0] ?? file;

/** Every room and the other rooms that it may know. Those that are not here join the others. */
const MAY_KNOW: Readonly<Record<string, readonly string[]>> = {
  model: [],
  x509: [],
  listen: ['model'],
  evidence: ['model', 'x509'],
  origin: ['model', 'x509'],
  policy: ['model'],
  request: ['model'],
  audit: ['model'],
  wire: ['model', 'listen'],
  admin: ['model', 'listen'],
  config: ['model'],
  lint: ['model', 'config', 'policy'],
  state: ['model', 'x509'],
};
/** The files beside main.ts, the commands, the engine without listeners, and the short way to what it decided. */
const joins = (room: string): boolean => room.endsWith('.ts') || ['cli', 'workbench', 'replay', 'quick'].includes(room);

/** Packages and where they live: a room, or one file. Node's own are free, but for those in NODE_ROOMS. */
const PACKAGE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['wire', 'cli/health.ts', 'state/spiffe/stream.ts'],
  '@grpc/proto-loader': ['wire', 'state/spiffe/messages.ts'],
  '@grpc/reflection': ['wire'],
  '@redis/client': ['state/redis'],
  'grpc-health-check': ['wire', 'cli/health.ts'],
  jose: ['workbench/forge-issuer.ts'],
  'lru-cache': ['state'],
  pino: ['audit'],
  commander: ['main.ts', 'cli'],
  yaml: ['config', 'lint', 'workbench', 'cli'],
  zod: [
    'config',
    'state/revocation/order.ts',
    'state/redis/revocation-text.ts',
    'state/redis/pinned-text.ts',
    'replay',
    'workbench',
    'lint',
  ],
  '@peculiar/x509': ['workbench/forge-authority.ts'],
  'reflect-metadata': ['workbench/forge-authority.ts'],
  'protobufjs/ext/descriptor/index.js': ['lint/api'],
};
/** What touches the world outside of the process. */
const NODE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  'node:fs': [
    'app.ts',
    'core.ts',
    'doors.ts',
    'version.ts',
    'audit',
    'cli',
    'config',
    'listen',
    'replay',
    'state',
    'workbench',
  ],
  'node:fs/promises': ['cli', 'listen', 'state', 'workbench'],
  // config only asks what an IP address looks like.
  'node:net': ['admin', 'config/address.ts', 'config/remote-leaves.ts', 'listen', 'state/remote', 'wire'],
  'node:dns': ['state/remote'],
  'node:https': ['state/remote'],
  'node:tls': ['state/remote', 'tls.ts'],
  'node:http': ['admin', 'cli/health.ts', 'state/remote'],
};

const livesIn = (file: string, rooms: readonly string[]): boolean =>
  rooms.some((room) => file === room || file.startsWith(`${room}/`));
const told = ({ from, to }: Import): string => `${from} imports ${to}`;

describe('the rooms of the house', () => {
  it('are all known here', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => !(room in MAY_KNOW) && !joins(room))).toEqual([]);
  });

  it('know only those that they may know', () => {
    const wrong = imports.filter(({ from, to, kind }) => {
      const known = MAY_KNOW[roomOf(from)];
      return kind === 'file' && known !== undefined && roomOf(to) !== roomOf(from) && !known.includes(roomOf(to));
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('do not know the commands: only main.ts starts those', () => {
    const wrong = imports.filter(
      ({ from, to }) => roomOf(to) === 'cli' && roomOf(from) !== 'cli' && from !== 'main.ts',
    );
    expect(wrong.map(told)).toEqual([]);
    expect(imports.filter(({ to }) => to === 'main.ts').map(told)).toEqual([]);
  });

  it('import nothing that is not there, and nothing in a circle', () => {
    expect(imports.filter(({ to, kind }) => kind === 'file' && !sources.has(to)).map(told)).toEqual([]);
    expect(circles()).toEqual([]);
  });

  it('hold each library in its one place', () => {
    const packages = imports.filter(({ kind }) => kind === 'package');
    const rooms: Readonly<Record<string, readonly string[]>> = { ...PACKAGE_ROOMS, ...NODE_ROOMS };
    const strange = packages.filter(({ to }) => !to.startsWith('node:') && rooms[to] === undefined);
    expect(strange.map(told)).toEqual([]);
    const wrong = packages.filter(({ from, to }) => !livesIn(from, rooms[to] ?? [roomOf(from)]));
    expect(wrong.map(told)).toEqual([]);
  });

  it('load the libraries of gRPC only where a listener or a command asks for them', () => {
    const heavy = ['@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', 'grpc-health-check', 'protobufjs'];
    const reached = reachedFrom('cli/serve.ts').flatMap((file) => imports.filter(({ from }) => from === file));
    expect(reached.filter(({ to, typeOnly, late }) => !typeOnly && !late && heavy.includes(to)).map(told)).toEqual([]);
    expect(reached.map(({ to }) => to)).toContain('wire/lean/listener.ts');
  });

  it('leaves what belongs to the Workload API to be loaded where it is needed', () => {
    const late = ['stream', 'messages', 'workload-api'].map((name) => `state/spiffe/${name}.ts`);
    const early = imports.filter(
      ({ from, to, typeOnly, late: onDemand }) => !typeOnly && !onDemand && late.includes(to) && !late.includes(from),
    );
    expect(early.map(told)).toEqual([]);
  });

  it('load what talks to a shared store only where one is configured', () => {
    const early = imports.filter(
      ({ from, to, typeOnly, late }) =>
        to.startsWith('state/redis/') && !from.startsWith('state/redis/') && !typeOnly && !late,
    );
    expect(early.map(told)).toEqual([]);
    expect(imports.filter(({ to, late }) => to === '@redis/client' && !late).map(told)).toEqual([]);
  });

  it('x509 knows nothing but Node', () => {
    const known = imports.filter(({ from, to }) => roomOf(from) === 'x509' && !to.startsWith('x509/'));
    expect(known.filter(({ to }) => !to.startsWith('node:')).map(told)).toEqual([]);
  });
});

/** Every file that is loaded together with this one. */
function reachedFrom(start: string): readonly string[] {
  const reached = new Set([start]);
  for (const file of reached)
    for (const { from, to, kind, typeOnly, late } of imports)
      if (from === file && kind === 'file' && !typeOnly && !late) reached.add(to);
  return [...reached];
}

/** Files that need each other at run time; types alone make no circle. */
function circles(): readonly string[] {
  const needs = new Map<string, string[]>();
  for (const { from, to, kind, typeOnly } of imports)
    if (kind === 'file' && !typeOnly) needs.set(from, [...(needs.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const next of needs.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}

/** What reads something that is not an argument, and where it may, with the reason. */
const AMBIENT: readonly { readonly reads: RegExp; readonly may: Readonly<Record<string, string>> }[] = [
  {
    reads: /^Date\.now$|^new Date\(\)$/,
    may: {
      'cli/serve.ts': 'hands the clock to the app',
      'cli/io.ts': 'hands the clock to the commands',
      'audit/log.ts': 'stamps the lines of the operational log; decides nothing',
      'wire/lean/listener.ts': 'makes a deadline of a grpc-timeout, as grpc-js does; decides nothing',
    },
  },
  { reads: /^performance\.now$/, may: { 'handle.ts': 'measures how long an answer took; decides nothing' } },
  {
    reads: /^Math\.random$/,
    may: {
      'recorder.ts': 'draws which allowed decisions leave a record (audit.allowed)',
      'cli/serve.ts': 'draws which checks are kept for replay (--record-sample)',
    },
  },
  {
    reads: /^process\./,
    may: {
      'main.ts': 'argv and exit code',
      cli: 'environment, signals, standard streams',
      'version.ts': 'the version of Node, for `version` and the build metric',
      'recorder.ts': 'the version of Node, for the build metric',
      'listen/listen.ts': 'umask, so that a socket is never open wider than its mode for a moment',
      'audit/output.ts': 'standard output, where records go',
      'audit/log.ts': 'standard error, where the log goes',
    },
  },
];

function ambientReads(file: string, source: ts.SourceFile): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text =
      ts.isPropertyAccessExpression(node) || (ts.isNewExpression(node) && (node.arguments ?? []).length === 0)
        ? node.getText(source)
        : '';
    const rule = AMBIENT.find(({ reads }) => reads.test(text));
    if (rule !== undefined && !livesIn(file, Object.keys(rule.may))) found.push(`${file} reads ${text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('what is not an argument', () => {
  it('is read only where a reason is written down', () => {
    expect([...sources].flatMap(([file, source]) => ambientReads(file, source))).toEqual([]);
  });

  it('is remembered only in state/: no other file has a variable of its own', () => {
    const variables = [...sources].flatMap(([file, source]) =>
      source.statements.flatMap((statement) =>
        ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) === 0
          ? [`${file}: ${statement.getText(source)}`]
          : [],
      ),
    );
    expect(variables.filter((text) => !text.startsWith('state/'))).toEqual([]);
  });

  it('is exported by name: there is no default export', () => {
    const defaults = [...sources].filter(([, source]) => source.statements.some(ts.isExportAssignment));
    expect(defaults.map(([file]) => file)).toEqual([]);
  });
});
