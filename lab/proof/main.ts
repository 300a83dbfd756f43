// `node lab/proof/main.ts`: puts every claim of the site to the test and prints one line for each. Exit status 1 if one does not hold.
import {allProofs} from './all.ts';
import type {Seen} from './proof.ts';

// Whoever reads this may have seen enough.
process.stdout.on('error', () => process.exit());

const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

const proofs = allProofs();
const width = Math.max(...proofs.map(({claim}) => claim.length));
let broken = 0;
for (const {host, claim, prove} of proofs) {
  const {holds, saw} = await prove().catch((error: unknown): Seen => ({holds: false, saw: String(error)}));
  if (!holds) broken++;
  const mark = holds ? paint(32, 'holds ') : paint(31, 'BROKEN');
  console.log(`  ${mark} ${host.padEnd(7)} ${claim.padEnd(width)}  ${paint(2, saw.slice(0, 100))}`);
}
console.log(broken === 0 ? `\nall ${proofs.length} claims hold` : `\n${broken} of ${proofs.length} claims do not hold`);
process.exitCode = broken === 0 ? 0 : 1;
