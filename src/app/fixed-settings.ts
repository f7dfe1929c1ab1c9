import type { Settings } from '../config/settings.ts';
import { fingerprintOf } from '../core/fingerprint.ts';

/** New settings, as far as a running process can take them over. */
export interface AdoptedSettings {
  readonly settings: Settings;
  /** Names of settings that have changed, and take effect after a restart. */
  readonly needRestart: readonly string[];
}

/** What listeners, connections and shared state were created with. */
const fixed: readonly (readonly [name: string, valueIn: (settings: Settings) => unknown])[] = [
  ['server.listen', ({ server }) => server.listen],
  ['server.limits', ({ server }) => server.limits],
  ['server.tls', ({ server }) => server.tls !== undefined],
  ['admin', ({ admin }) => [admin.listen, admin.tls !== undefined]],
  ['control', ({ control }) => [control.listen, control.token, control.tls !== undefined]],
  ['containerCredentials.listen', ({ containerCredentials }) => containerCredentials.listen],
  ['backend', ({ backend }) => backend.endpoint],
  ['backend.timeouts', ({ backend }) => backend.timeouts],
  ['state', ({ state }) => state],
  ['outbound', ({ outbound }) => outbound],
  ['audit', ({ audit }) => audit],
  ['log', ({ log }) => log],
];

/** Takes over all new settings but those that only a restart can change, and names these where they differ. */
export function adoptSettings(current: Settings, next: Settings): AdoptedSettings {
  const { server, admin, control, containerCredentials, backend, state, outbound, audit, log } = current;
  return {
    settings: {
      ...next,
      server: withTls({ ...next.server, listen: server.listen, limits: server.limits }, server, next.server),
      // The key, the region and the features of another store are not those of this one.
      backend:
        next.backend.endpoint === backend.endpoint
          ? { ...next.backend, timeouts: backend.timeouts }
          : backend,
      admin: withTls({ ...admin, readyRequires: next.admin.readyRequires }, admin, next.admin),
      control: withTls(control, control, next.control),
      containerCredentials: withListener(containerCredentials, next.containerCredentials),
      state,
      outbound,
      audit,
      log,
    },
    needRestart: fixed
      .filter(([, valueIn]) => fingerprintOf(valueIn(current)) !== fingerprintOf(valueIn(next)))
      .map(([name]) => name),
  };
}

interface WithTls {
  readonly tls?: NonNullable<Settings['server']['tls']>;
}

/** Certificates change while a listener is open; whether it has TLS does not. */
function withTls<Section extends WithTls>(
  { tls: _, ...section }: Section,
  { tls: current }: WithTls,
  { tls: next }: WithTls,
): Omit<Section, 'tls'> & WithTls {
  return current === undefined ? section : { ...section, tls: next ?? current };
}

/** The listener stays open as it is, so without a section of its own the scope-down policy in force stays too. */
function withListener(
  current: Settings['containerCredentials'],
  next: Settings['containerCredentials'],
): Settings['containerCredentials'] {
  if (current.listen === undefined || next.listen === undefined) return current;
  return { ...next, listen: current.listen };
}

/**
 * Why new settings cannot be taken over at all; `undefined` when they can. Sessions, and the state that replicas share, belong to one
 * account.
 */
export function adoptionFault({ account }: Settings, { account: next }: Settings): string | undefined {
  if (account.id === next.id && account.partition === next.partition) return undefined;
  return 'account.id and account.partition cannot change while the program runs: restart it';
}
