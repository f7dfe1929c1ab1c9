import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Core of the proxy under test, and core of everything else: store, load generator, this program. */
export const cores = { proxy: 0, load: 1 };

const ticksPerSecond = 100;
const dockerfile = new URL('../../deploy/Dockerfile', import.meta.url);

/** What the figures were taken on. */
export function describeMachine() {
  const version = (command, ...flags) => {
    const { stdout, stderr } = spawnSync(command, flags, { encoding: 'utf8' });
    return `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0];
  };
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    nginx: version('nginx', '-v').replace('nginx version: ', ''),
    wrk: version('wrk', '-v').split(' [')[0],
  };
}

/** The variables by which `deploy/Dockerfile` chooses the allocator, with the library of this machine. */
export function imageAllocator() {
  const [, settings] = /MALLOC_CONF=(\S+)/.exec(readFileSync(dockerfile, 'utf8')) ?? [];
  const libraries = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/libjemalloc.so.2`);
  const library = libraries.find((path) => existsSync(path));
  if (library === undefined || settings === undefined) {
    throw new Error('the allocator of the image is missing: install libjemalloc2');
  }
  return { LD_PRELOAD: library, MALLOC_CONF: settings };
}

/** Moves this process to a core. */
export function pinSelf(core) {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

/** CPU time a process has used so far, all its threads, in microseconds. */
export function processCpuUs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  // The text is split after the second field: utime and stime are fields 14 and 15 of proc(5).
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Resident memory of a process now and at its peak, in MiB. */
export function residentMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { now: kibibytes('VmRSS') / 1024, peak: kibibytes('VmHWM') / 1024 };
}

/** Busy and total ticks of one core since boot. */
export function coreTicks(core) {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  const [user, nice, system, idle, iowait, irq, softirq, steal] = line.split(' ').slice(1).map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, total: busy + idle + iowait };
}

/** Share of the time between two readings that a core was busy. */
export function busyShare(before, after) {
  return (after.busy - before.busy) / Math.max(1, after.total - before.total);
}
