// Copies npm packages and everything they depend on from this checkout's node_modules:
//   node copy-packages.mjs TARGET NAME...
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const source = 'node_modules';
const [target, ...names] = process.argv.slice(2);
const copied = new Set();
while (names.length > 0) {
  const name = names.pop();
  if (copied.has(name)) continue;
  copied.add(name);
  const folder = join(source, name);
  // Absent ones are optional, or nested in a folder that is copied whole.
  if (!existsSync(folder)) continue;
  cpSync(folder, join(target, name), { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  names.push(...Object.keys(dependencies));
}
