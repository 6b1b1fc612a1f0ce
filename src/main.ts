#!/usr/bin/env node
/** The `firsthand` entry: argv in, exit code out. With cli/ the only reader of the process and of the clock. */
import { Command, CommanderError } from 'commander';
import { serve } from './cli/serve.js';
import { version } from './version.js';

async function main(argv: readonly string[]): Promise<number> {
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
    .option('--record <dir>', 'keeps CheckRequests for replay (not yet supported)')
    .addHelpText('after', '\nExample:\n  firsthand serve --config /etc/firsthand/firsthand.yaml')
    .action(async (options: { config: string; record?: string }) => {
      exitCode = await serve(options);
    });
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

/** One line for each problem: commander puts its guess at what was meant on a second one. */
const complaint = (text: string): string =>
  text.startsWith('error: ') ? `firsthand: ${text.slice('error: '.length).trimEnd().replaceAll('\n', ' ')}\n` : text;

process.exitCode = await main(process.argv.slice(2));
