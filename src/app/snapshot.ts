import type { AuthenticationSources } from '../authenticate/authenticate.ts';
import { PolicyGatherer } from '../authorize/gather-policies.ts';
import type { AuthorizationSources } from '../authorize/permission-decider.ts';
import type { Settings } from '../config/settings.ts';
import type { ByteBudget } from '../core/byte-budget.ts';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { Directory } from '../directory/directory.ts';
import type { Denial } from '../edge/perform-s3.ts';
import type { Snapshot } from '../edge/server.ts';
import { TrustedProxies } from '../edge/trusted-proxies.ts';
import { Forwarder } from '../forward/forward.ts';
import { TagLookup } from '../forward/lookup.ts';
import type { StoreTarget } from '../forward/outgoing-request.ts';
import type { Upstream } from '../forward/upstream.ts';
import { sealedNearMiss } from '../iam/describe-near-miss.ts';
import type { IdentityProviders } from '../identity/provider.ts';
import type { RevocationIndex } from '../revocation/revocation-index.ts';
import { Revocations } from '../revocation/revocations.ts';
import type { RunTimeRevocations } from '../revocation/run-time-revocations.ts';
import { lookupKeysOf } from '../s3/lookup-keys.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import type { SharedState } from '../state/shared-state.ts';
import { sealAuthorizationMessage } from '../tokens/authorization-message.ts';
import { createKeyRing, type KeyRing } from '../tokens/key-ring.ts';
import { SessionOpener } from '../tokens/open.ts';

/** What a snapshot is built from, besides the settings. */
export interface SnapshotParts {
  readonly clock: Clock;
  /** Budget for the bodies that tag look-ups read. */
  readonly budget: ByteBudget;
  readonly randomness: Randomness;
  readonly directory: Directory;
  /** Those of the configuration in force, also when that is a later one. */
  readonly configuredRevocations: () => RevocationIndex;
  readonly upstream: Upstream;
  readonly identityProviders: IdentityProviders;
  readonly state: SharedState;
  readonly runTimeRevocations: RunTimeRevocations;
  /** Of all configurations: a key is found by its secret. */
  readonly signingKeys: SigningKeyCache;
}

type PartsOfOne = SnapshotParts & Pick<Snapshot, 'characters'>;

/** A snapshot, and what its replacement calls. */
export interface CreatedSnapshot {
  readonly snapshot: Snapshot;
  /** Empties its caches. Requests in progress can hold it for long, and one caller can fill the caches of each. */
  readonly retire: () => void;
  /** Empties its caches once, for want of memory. */
  readonly forget: () => void;
}

/** The store that a configuration names. */
export function storeTargetOf({ endpoint, region, credentials, trailers }: Settings['backend']): StoreTarget {
  return { host: new URL(endpoint).host, region, credentials, trailers };
}

/** Builds everything that one configuration answers requests with. */
export function createSnapshot(settings: Settings, parts: PartsOfOne): CreatedSnapshot {
  const { clock, budget, randomness, directory, upstream, identityProviders, state, signingKeys } = parts;
  const { account, backend, tokens } = settings;
  const keyRing = createKeyRing(tokens.keys, tokens.sealWith);
  const policies = new PolicyGatherer(directory);
  const sessions = new SessionOpener(keyRing);
  const authentication: AuthenticationSources = {
    directory,
    sessions,
    revocations: new Revocations(parts.configuredRevocations, parts.runTimeRevocations),
    signingKeys,
    allowedRegions: new Set(account.allowedRegions),
    disabledStsRegions: new Set(account.disabledRegions),
  };
  const store = storeTargetOf(backend);
  const authorization: AuthorizationSources = {
    policies,
    lookup: new TagLookup({ upstream, store, signingKeys, clock, budget }),
    lookupKeysOf,
    enforcement: settings.authorization.enforcement,
    listBuckets: settings.authorization.listBuckets,
  };
  const snapshot: Snapshot = {
    s3: {
      routing: {
        virtualHosts: settings.server.virtualHosts,
        accountId: account.id,
        partition: account.partition,
        supports: new Set(backend.supports),
      },
      authentication,
      authorization,
      strangers: {
        anonymous: backend.anonymous,
        unknownAccessKeys: backend.unknownAccessKeys,
        region: account.region,
        ownKeys: { directory, storeAccessKeyId: store.credentials.accessKeyId },
        storeHost: store.host,
        prefixes: backend.passthrough,
      },
      forwarder: new Forwarder(upstream, store, signingKeys, clock),
      sealDenial: settings.authorization.encodedMessages === 'full' ? denialSealer(keyRing) : undefined,
    },
    sts: {
      clock,
      authentication,
      keyRing,
      policies,
      randomness,
      state,
      identityProviders,
      account,
    },
    trustedProxies: new TrustedProxies(settings.server.trustedProxies),
    characters: parts.characters,
  };
  const retire = (): void => {
    policies.retire();
    sessions.retire();
  };
  const forget = (): void => {
    policies.forget();
    sessions.forget();
  };
  return { snapshot, retire, forget };
}

function denialSealer(keyRing: KeyRing): (denial: Denial) => string {
  return ({ caller, denied, deniedAtMs, requestId }) => {
    const { decision, permission, context } = denied;
    const { isExplicitDeny, policyType, statement, nearMiss } = decision;
    return sealAuthorizationMessage(
      {
        principal: { arn: caller.arn, userId: caller.userId },
        action: permission.action,
        resource: permission.resource,
        isExplicitDeny,
        policyType,
        statement,
        nearMiss: sealedNearMiss(nearMiss),
        context,
        requestId,
        deniedAtMs,
      },
      keyRing,
    );
  };
}
