/** `npm run h2spec`: the table, and exit 1 where a case failed or was skipped. */
import { findH2spec, HOW, runH2spec } from './h2spec.js';

const program = findH2spec();
if (program === undefined) {
  console.error(HOW);
  process.exit(2);
}
const groups = await runH2spec(program);
const sum = { passed: 0, skipped: 0, failed: 0 };
for (const { name, passed, skipped, failed } of groups) {
  console.log(`${String(passed).padStart(3)} passed  ${name}`);
  for (const title of skipped) console.log(`    skipped ${title}`);
  for (const title of failed) console.log(`    FAILED  ${title}`);
  sum.passed += passed;
  sum.skipped += skipped.length;
  sum.failed += failed.length;
}
console.log(`${sum.passed} passed, ${sum.skipped} skipped, ${sum.failed} failed`);
process.exit(sum.skipped + sum.failed === 0 && sum.passed > 0 ? 0 : 1);
