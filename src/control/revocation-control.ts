import type { Log } from '../observe/log.ts';
import type { RunTimeRevocation, RunTimeRevocations } from '../revocation/run-time-revocations.ts';
import { ControlFault } from './control-fault.ts';

/** What the configuration in force says about revocations. */
export interface ConfiguredRevocations {
  /** Those of the file, which are read-only here. */
  readonly revocations: readonly RunTimeRevocation['record'][];
  /** The users, roles and providers that a revocation can name. */
  readonly names: Parameters<RunTimeRevocations['add']>[1];
}

/** What the revocation endpoints work on. */
export interface RevocationSources {
  readonly runTime: RunTimeRevocations;
  readonly configured: () => ConfiguredRevocations;
  readonly log: Log;
}

/** A revocation in the JSON of the control listener. */
type ShownRevocation = Readonly<Record<string, string>>;

const unreadable = 'cannot be read: until it is deleted, sessions are refused with 503';

/**
 * Lists, adds and removes revocations for operators.
 * @throws ControlFault when a request is refused, StateError when the shared state is not available
 */
export class RevocationControl {
  readonly #sources: RevocationSources;

  constructor(sources: RevocationSources) {
    this.#sources = sources;
  }

  list(): { readonly revocations: readonly ShownRevocation[] } {
    const { configured, runTime } = this.#sources;
    return {
      revocations: [
        ...configured().revocations.map((record) => ({ source: 'configuration', ...shown(record) })),
        ...runTime.list().map((revocation) => ({ source: 'run-time', ...shownAdded(revocation) })),
        ...runTime.listUnreadable().map((id) => ({ source: 'run-time', id, note: unreadable })),
      ],
    };
  }

  async add(source: unknown): Promise<ShownRevocation> {
    const { runTime, configured, log } = this.#sources;
    const added = await runTime.add(source, configured().names);
    if (added.outcome === 'too_many') throw new ControlFault('TooManyRevocations');
    if (added.outcome === 'invalid') {
      const problems = added.problems.map(({ key, message, hint = '' }) =>
        key === undefined ? message : `${key}: ${message}${hint}`,
      );
      throw new ControlFault('InvalidRevocation', problems.join('; '));
    }
    const revocation = shownAdded(added.revocation);
    log.info('control', 'revocation added', { revocation });
    const warning = added.doubt === undefined ? {} : { warning: added.doubt };
    return { ...revocation, ...this.#reach(), ...warning };
  }

  async remove(id: string): Promise<ShownRevocation> {
    const { runTime, log } = this.#sources;
    if (!(await runTime.remove(id))) throw new ControlFault('NoSuchRevocation');
    log.info('control', 'revocation removed', { revocation: { id } });
    return { id, ...this.#reach() };
  }

  #reach(): ShownRevocation {
    if (this.#sources.runTime.isShared) return { scope: 'all replicas' };
    return {
      scope: 'this replica',
      note: 'without state.redis it holds on this replica only, and ends with its process',
    };
  }
}

function shownAdded({ id, record, addedAtMs }: RunTimeRevocation): ShownRevocation {
  return { id, ...shown(record), addedAt: new Date(addedAtMs).toISOString() };
}

function shown({ selector, issuedBeforeMs }: RunTimeRevocation['record']): ShownRevocation {
  return {
    ...(selector === undefined ? {} : { [selector.kind]: selector.value }),
    ...(issuedBeforeMs === undefined ? {} : { issuedBefore: new Date(issuedBeforeMs).toISOString() }),
  };
}
