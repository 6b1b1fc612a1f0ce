#!/usr/bin/env node
/** The `firsthand` entry: argv in, exit code out. With cli/ the only reader of the process and of the clock. */
import { beginSmall } from './cli/heap.js';
import { serveOptions } from './cli/serve-options.js';

const argv = process.argv.slice(2);
const options = serveOptions(argv);
if (options !== undefined) beginSmall();
// A guard beside each pod does not load what prints help.
process.exitCode =
  options === undefined
    ? await (await import('./cli/program.js')).run(argv)
    : await (await import('./cli/serve.js')).serve(options);
