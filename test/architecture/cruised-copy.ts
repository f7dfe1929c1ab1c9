import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cleanEnvironment } from '../support/clean-environment.ts';

/** The repository's root. */
export const repository: string = resolve(import.meta.dirname, '../..');

/** A file to add to the copy: its path below the root and its text. */
export interface PlantedFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule. */
export interface Violation {
  readonly rule: string;
  /** The importing file. */
  readonly from: string;
  /** The imported file or package, as resolved; empty for an orphan. */
  readonly to: string;
}

/** What the check says of a copy. */
export interface Verdict {
  /** 0 where the check passes. */
  readonly exitCode: number;
  readonly violations: readonly Violation[];
  /** What it printed. */
  readonly output: string;
}

/**
 * Runs the repository's import check on a copy of `src` in a temporary folder with `planted` added to it. The
 * repository itself is only read, so tests that run at the same time never see a planted file.
 */
export async function cruiseCopy(planted: readonly PlantedFile[]): Promise<Verdict> {
  const copy = await mkdtemp(join(tmpdir(), 'sts-sidecar-architecture-'));
  try {
    for (const name of ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
      await cp(join(repository, name), join(copy, name), { recursive: true });
    }
    await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
    for (const { path, text } of planted) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await writeFile(join(copy, path), text, { flag: 'wx' });
    }
    return await cruise(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function cruise(folder: string): Promise<Verdict> {
  const program = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src'];
  return await new Promise((settle) => {
    const options = { cwd: folder, env: cleanEnvironment(), maxBuffer: 16 * 1024 * 1024 };
    const child = execFile(process.execPath, args, options, (_error, stdout) =>
      settle({ exitCode: child.exitCode ?? 1, violations: readViolations(stdout), output: stdout }),
    );
  });
}

/** Reads lines like `  error RULE: FROM → TO`; an orphan has no target. */
function readViolations(output: string): readonly Violation[] {
  const found = output.matchAll(/^\s*error (?<rule>\S+): (?<from>\S+)(?: → (?<to>\S+))?/gmu);
  return [...found].map(({ groups = {} }) => ({
    rule: groups['rule'] ?? '',
    from: groups['from'] ?? '',
    to: groups['to'] ?? '',
  }));
}
