/**
 * `npm run build`: src/ → dist/. What a guard needs is bundled into a few files, so that it starts quickly; what it seldom
 * needs stays in chunks and packages that are loaded when they are asked for. Not minified: a stack trace names functions
 * and stands beside the name of its source file. Types are checked by `npm run typecheck`, not here.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(fileURLToPath(import.meta.url));

/** Bundled; every other package is loaded from node_modules by the command, or the listener, that needs it. */
const BUNDLED = ['zod', 'yaml', 'lru-cache', 'pino'];

const onlyBundled = {
  name: 'only-bundled',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) =>
      // What a bundled package needs is bundled with it.
      kind === 'entry-point' ||
      /[/\\]node_modules[/\\]/.test(importer) ||
      BUNDLED.some((name) => path === name || path.startsWith(`${name}/`))
        ? undefined
        : { path, external: true },
    );
  },
};

/** Messages in fifty languages that nobody asks zod for. */
const oneLanguage = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
  },
};

/** All files lie in dist/ itself, nearer to proto/ than the sources do. */
const besideProto = {
  name: 'beside-proto',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\](wire[/\\]proto|state[/\\]spiffe[/\\]messages)\.ts$/ }, ({ path }) => {
      const parts = readFileSync(path, 'utf8').split(/'(?:\.\.\/)+proto\/'/);
      if (parts.length !== 2) throw new Error(`${path} does not name the folder proto/ once`);
      return { contents: parts.join("'../proto/'"), loader: 'ts' };
    });
  },
};

/**
 * @param {string} root with src/, package.json and proto/
 * @param {string} outdir emptied before
 */
export async function bundle(root, outdir) {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { main: join(root, 'src', 'main.ts') },
    outdir,
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    plugins: [onlyBundled, oneLanguage, besideProto],
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(Object.keys(metafile.inputs)));
}

/** The licences of what is bundled, as their authors wrote them. */
function licencesOf(inputs) {
  const packages = new Set(
    inputs.flatMap((input) => /^.*node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(input)?.[0] ?? []),
  );
  return [...packages].sort().map(licenceIn).join('\n');
}

function licenceIn(folder) {
  const path = join(ROOT, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(ROOT, join(ROOT, 'dist'));
