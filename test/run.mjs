/**
 * `npm test`: set-up, then everything that must be green, in the order of how soon it says no: types, lint, format, the
 * fast lane, the slow lane with the real Envoy. Goes on after a failure, so that one run tells everything; the last line
 * is the sum, `N passed, N failed`. Exit 1 if anything failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure, SetupError } from './setup.mjs';

const reports = mkdtempSync(join(tmpdir(), 'firsthand-test-'));
process.on('exit', () => rmSync(reports, { recursive: true, force: true }));

const STEPS = [
  { title: 'types', tool: 'tsc', args: ['--noEmit', '-p', 'tsconfig.json'] },
  { title: 'lint', tool: 'eslint', args: ['.'] },
  { title: 'format', tool: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  { title: 'fast lane', tool: 'vitest', args: ['run'] },
  { title: 'slow lane: the real Envoy', tool: 'vitest', args: ['run', '-c', 'test/envoy/vitest.config.ts'] },
];

function main() {
  const sum = { passed: 0, failed: 0 };
  const failures = [];
  const root = setUp();
  for (const step of root === undefined ? [] : STEPS) {
    process.stdout.write(`\n── ${step.title} ──\n`);
    const counts = step.tool === 'vitest' ? runVitest(root, step) : runTool(root, step);
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    if (counts.failed > 0) failures.push(step.title);
  }
  if (root === undefined) sum.failed += 1;
  if (failures.length > 0) process.stdout.write(`\nnot green: ${failures.join(', ')}\n`);
  process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed\n`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

function setUp() {
  try {
    return ensure({ envoy: true, build: true, redis: true }).root;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stdout.write(`setup: ${error.message}\n`);
    return undefined;
  }
}

/** A tool that says yes or no counts as one test. */
function runTool(root, { tool, args }) {
  const status = run(root, tool, args);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** A file that can not even be loaded has no failed test; it counts as one all the same. */
function runVitest(root, { title, args }) {
  const file = join(reports, `${title.replaceAll(/\W+/g, '-')}.json`);
  const status = run(root, 'vitest', [...args, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  const { passed, failed } = readReport(file);
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
}

function readReport(file) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const unloaded = report.testResults.filter(
      (each) => each.status === 'failed' && each.assertionResults.length === 0,
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function run(root, tool, args) {
  const done = spawnSync(join(root, 'node_modules', '.bin', tool), args, { cwd: root, stdio: 'inherit' });
  return done.status ?? 1;
}

main();
