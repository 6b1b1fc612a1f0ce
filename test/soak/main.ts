/**
 * `npm run soak -- --rotation [--rotations N] [--rate N]`: exit 0 where nothing was wrong, 1 where something was, 2 where it
 * could not run.
 */
import { parseArgs } from 'node:util';
import { reportText } from './report.js';
import { soak } from './soak.js';

async function main([guard = '', ...args]: readonly string[]): Promise<number> {
  const options = read(args);
  if (options === undefined) {
    process.stderr.write('soak: say what: --rotation [--rotations 10] [--rate 300]\n');
    return 2;
  }
  const report = await soak({ main: guard, cycle: 2000, ...options });
  process.stdout.write(reportText(report));
  return report.wrongCount === 0 ? 0 : 1;
}

function read(args: readonly string[]): { readonly rotations: number; readonly rate: number } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rotation: { type: 'boolean' },
        rotations: { type: 'string', default: '10' },
        rate: { type: 'string', default: '300' },
      },
    });
    const [rotations, rate] = [Number(values.rotations), Number(values.rate)];
    return values.rotation === true && rotations > 0 && rate > 0 ? { rotations, rate } : undefined;
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
