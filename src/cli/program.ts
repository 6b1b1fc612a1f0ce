/** All commands with their options and help: argv in, exit code out. */
import { Command, CommanderError, Option } from 'commander';
import { version } from '../version.js';
import type { LintOptions } from './lint.js';
import type { RevokeOptions } from './revoke.js';
import { serve } from './serve.js';

export async function run(argv: readonly string[]): Promise<number> {
  // serve watches over its own output: a record that can not be written is an event.
  if (argv[0] !== 'serve') [process.stdout, process.stderr].forEach(endQuietly);
  let exitCode = 0;
  const program = new Command('firsthand')
    .description('Envoy external authorization that knows who really called')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  firsthand serve --config /etc/firsthand/firsthand.yaml')
    .configureOutput({ writeErr: (text) => process.stderr.write(complaint(text)) });
  program
    .command('serve')
    .description('runs the guard until SIGTERM, then drains')
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .option('--record <dir>', 'keeps checks for replay there: at most 512 MiB, no usable token, no query')
    .option('--record-sample <share>', 'of the checks, for example 0.01; default: all')
    .addHelpText(
      'after',
      '\nExample:\n  firsthand serve --config /etc/firsthand/firsthand.yaml' +
        '\n\nTo keep one check in a hundred for replay, add: --record /var/lib/firsthand/checks --record-sample 0.01',
    )
    .action(async (options: { config: string; record?: string; recordSample?: string }) => {
      exitCode = await serve(options);
    });
  program
    .command('inspect')
    .description('decodes a certificate, a token or an x-forwarded-client-cert, and says what is wrong with it')
    .argument('<what>', 'cert, token or xfcc')
    .argument('[file]', '- or nothing: stdin', '-')
    .option('--json', 'for programs')
    .addHelpText('after', '\nExamples:\n  firsthand inspect cert svid.pem\n  firsthand inspect token - < token.txt')
    .action(async (what: string, file: string, options: { json?: boolean }) => {
      const [{ inspect }, { processIo }] = await Promise.all([import('./inspect.js'), import('./io.js')]);
      exitCode = await inspect({ ...options, what, file }, processIo());
    });
  program
    .command('test')
    .description('table tests of a policy, in YAML; needs no keys: it signs with throw-away ones')
    .argument('<cases...>', 'case files')
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Example:
  firsthand test --config firsthand.yaml cases.yaml

A case file:
  cases:
    - name: frontend reads an order
      request: GET /orders/1 --as frontend --via gateway --scopes orders.read
      expect: { decision: allow, origin: ns/shop/sa/frontend, rule: 2 }
    - request: { method: POST, path: /orders, as: frontend, scopes: orders.write, age: 10m }
      expect: token_too_old
    - capture: recorded.bin # judged with the configured keys and bundles
      at: 2026-11-23T10:00:00Z
      expect: deny`,
    )
    .action(async (cases: readonly string[], options: { config: string; json?: boolean }) => {
      const [{ run: runTests }, { processIo }] = await Promise.all([import('./test.js'), import('./io.js')]);
      exitCode = await runTests({ ...options, cases }, processIo());
    });
  program
    .command('config')
    .description('looks at configurations')
    .addHelpText('after', '\nExample:\n  firsthand config print --config firsthand.yaml')
    .command('print')
    .description('the effective configuration, each value with where it came from')
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .addHelpText('after', '\nExample:\n  firsthand config print --config firsthand.yaml')
    .action(async (options: { config: string }) => {
      const [{ printConfig }, { processIo }] = await Promise.all([import('./config.js'), import('./io.js')]);
      exitCode = printConfig(options, processIo());
    });
  program
    .command('health')
    .description('asks a running guard: exit 0 serving, 1 not')
    .option('--address <address>', 'HOST:PORT (/readyz) or unix:PATH (a check socket); $FIRSTHAND_HEALTH_ADDRESS')
    .addHelpText('after', '\nExample:\n  firsthand health --address 127.0.0.1:9192')
    .action(async (options: { address?: string }) => {
      const [{ health }, { processIo }] = await Promise.all([import('./health.js'), import('./io.js')]);
      exitCode = await health(options, processIo());
    });
  program
    .command('lint')
    .description('checks configurations, annotation files, scope-line files and Kubernetes manifests')
    .argument('<files...>', '- is stdin')
    .addOption(new Option('--as <kind>', 'what the files are; else told by their content').choices(LINT_KINDS))
    .option('--config <file>', 'checks the others against this configuration: grants, ceilings, guardrails, forwarders')
    .option(
      '--openapi <file>',
      'OpenAPI 3 document: operations that no line covers, lines that cover none; repeatable',
      more,
    )
    .option('--descriptors <file>', 'FileDescriptorSet of gRPC services, likewise; repeatable', more)
    .addOption(new Option('--format <format>', 'of the findings').choices(LINT_FORMATS).default('text'))
    .addHelpText(
      'after',
      '\nExit 0 where nothing is wrong (infos do not count), 1 for errors and warnings, 2 where a file cannot be read.\n' +
        '\nExamples:\n  firsthand lint firsthand.yaml deployment.yaml' +
        '\n  firsthand lint --config firsthand.yaml --openapi openapi.yaml deployment.yaml' +
        '\n  firsthand lint --format github - < deployment.yaml',
    )
    .action(async (files: string[], options: Omit<LintOptions, 'files'>) => {
      const [{ runLint }, { processIo }] = await Promise.all([import('./lint.js'), import('./io.js')]);
      exitCode = await runLint({ ...options, files }, processIo());
    });
  program
    .command('explain')
    .description('one request, decided as serve would: every step with what it saw, and the smallest change')
    .argument('[request...]', 'a CheckRequest (.bin, .json, -), or METHOD PATH with the options of the short form')
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .option('--id <id>', 'of a decision in an audit file (with --audit)')
    .option('--audit <file>', 'audit records, one JSON object a line')
    .option('--json', 'for programs')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nShort form, decided with throw-away keys:\n  METHOD /path --as WORKLOAD [--via FORWARDER,…] [--scopes SCOPE,…] [--host HOST] [--bound] [--age 10m]' +
        "\n  [--issuer URL] [--claim NAME=VALUE] [--no-token] [--header 'NAME: VALUE']" +
        '\n\nExamples:\n  firsthand explain --config firsthand.yaml GET /orders/1 --as frontend --via gateway --scopes orders.read' +
        '\n  firsthand explain --config firsthand.yaml denied.bin' +
        '\n  firsthand explain --config firsthand.yaml --id 7c1f --audit audit.ndjson',
    )
    .action(async (request: string[], options: { config: string; id?: string; audit?: string; json?: boolean }) => {
      const [{ explain }, { processIo }] = await Promise.all([import('./explain.js'), import('./io.js')]);
      exitCode = await explain({ ...options, request }, processIo());
    });
  program
    .command('replay')
    .description(
      'recorded checks against this configuration: what would change. Exit 0 nothing, 1 changes or undecidable',
    )
    .argument(
      '<records...>',
      'what serve --record wrote (files, folders), audit records, CheckRequests (.bin, .json), -',
    )
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .option('--against <file>', 'another configuration, whose answers to CheckRequests are compared with')
    .option('--at <time>', 'when CheckRequests are decided, for example 2026-11-23T12:00:00Z; default: now')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nRecords are decided by what was verified then; keys and bundles are not needed.' +
        '\n\nExamples:\n  firsthand replay --config firsthand.yaml audit.ndjson' +
        '\n  firsthand replay --config next.yaml --against firsthand.yaml denied.bin',
    )
    .action(async (records: string[], options: { config: string; against?: string; at?: string; json?: boolean }) => {
      const [{ replay }, { processIo }] = await Promise.all([import('./replay.js'), import('./io.js')]);
      const bar = process.stderr.isTTY === true ? (text: string) => void process.stderr.write(text) : undefined;
      exitCode = await replay({ ...options, records }, processIo(), bar);
    });
  program
    .command('init')
    .description('proposes an annotation, least privilege first; say what to read')
    .option('--openapi <file...>', 'OpenAPI 3 or Swagger 2 documents')
    .option('--descriptors <file...>', 'FileDescriptorSets (protoc --include_imports --descriptor_set_out)')
    .option('--audit <file...>', 'audit records (NDJSON), - = stdin')
    .option('--manifest', 'as the annotation of a pod template')
    .addHelpText(
      'after',
      '\nExamples:\n  firsthand init --openapi openapi.yaml --manifest\n  firsthand init --audit audit.ndjson',
    )
    .action(async (options: { openapi?: string[]; descriptors?: string[]; audit?: string[]; manifest?: boolean }) => {
      const [{ init }, { processIo }] = await Promise.all([import('./init.js'), import('./io.js')]);
      exitCode = await init(options, processIo());
    });
  for (const kind of ['revoke', 'unrevoke'] as const) {
    const command = program
      .command(kind)
      .description(
        kind === 'revoke'
          ? 'refuses a token, a workload, a certificate and more from now on, at every guard'
          : 'ends a revocation',
      )
      .requiredOption('--config <file>', 'configuration file (YAML): its store, or else its revocation file')
      .option('--token <name>', 'the name of a token, as records have it')
      .option('--jti <jti>', 'of a token, with --issuer')
      .option('--subject <sub>', 'everything of a subject, with --issuer')
      .option('--identity <id>', 'a SPIFFE ID or a pattern, wherever it stands in the chain')
      .option('--certificate <sha256>', 'a certificate of the chain, by its fingerprint')
      .option('--serial <number>', 'likewise by its serial number (hexadecimal), with --issuer "CN=…"')
      .option('--key <kid>', 'every token that a key signed, with --issuer')
      .option('--txn <txn>', 'a transaction')
      .option('--issuer <issuer>', 'alone: every token of an issuer')
      .option('--trust-domain <domain>', 'everything of a trust domain')
      .option('--reason <text>', 'for the records');
    if (kind === 'revoke') command.option('--for <duration>', 'for example 1h; default: without end');
    command
      .addHelpText(
        'after',
        `\nExamples:\n  firsthand ${kind} --config firsthand.yaml --identity spiffe://prod.example/ns/shop/sa/retired` +
          `\n  firsthand ${kind} --config firsthand.yaml --subject user:mallory --issuer https://idp.prod.example --reason 'left'`,
      )
      .action(async (options: Omit<RevokeOptions, 'kind'>) => {
        const [{ revoke }, { processIo }] = await Promise.all([import('./revoke.js'), import('./io.js')]);
        exitCode = await revoke({ ...options, kind }, processIo());
      });
  }
  program
    .command('version')
    .description('version, build and Node')
    .addHelpText('after', '\nExample:\n  firsthand version')
    .action(() => void process.stdout.write(`${version()}\n`));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** Collects an option that may come several times; a variadic one would swallow the files behind it. */
const more = (value: string, before: readonly string[] = []): string[] => [...before, value];

const LINT_KINDS = ['config', 'annotations', 'scopes', 'manifest'];
const LINT_FORMATS = ['text', 'json', 'sarif', 'github'];

/** One line for each problem: commander puts its guess at what was meant on a second one. */
const complaint = (text: string): string =>
  text.startsWith('error: ')
    ? `firsthand: ${text.slice('error: '.length).trimEnd().replaceAll('\n', ' ')}; see firsthand --help\n`
    : text;

/** `firsthand lint … | head -1`: whoever reads has enough, and the exit code still says what was found. */
function endQuietly(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
