/** Whether a mutant still compiles: one that does not would never come through `npm test`. One program, kept up to date. */
import { join } from 'node:path';
import ts from 'typescript';
import type { Mutant } from './mutants.js';

export function createCompiler(root: string): (mutant: Pick<Mutant, 'file' | 'text'>) => boolean {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const sources = fileNames.filter((file) => file.startsWith(join(root, 'src')));
  let mutated: { readonly file: string; readonly text: string } | undefined;
  let version = 0;
  const service = ts.createLanguageService({
    getScriptFileNames: () => sources,
    getScriptVersion: (file) => (file === mutated?.file ? String(version) : '0'),
    getScriptSnapshot: (file) => {
      const text = file === mutated?.file ? mutated.text : ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  return ({ file, text }) => {
    version += 1;
    mutated = { file: join(root, file), text };
    return service.getSemanticDiagnostics(mutated.file).length === 0;
  };
}
