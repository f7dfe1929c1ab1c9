import type { Server } from 'node:http';
import type { ListenAddress, Settings } from '../config/settings.ts';
import {
  type ContainerParts,
  type ContainerServer,
  createContainerServer,
} from '../container/container-server.ts';
import { type ControlParts, createControlServer } from '../control/control-server.ts';
import { type ConfiguredRevocations, RevocationControl } from '../control/revocation-control.ts';
import type { Configuration } from './configuration.ts';
import type { StateParts } from './state.ts';

/** The listener of operators; `undefined` without a token. It is not listening yet. */
export function createControl(
  { control: { token } }: Settings,
  { runTimeRevocations: runTime }: StateParts,
  {
    configuration,
    ...parts
  }: { readonly configuration: () => Configuration } & Pick<ControlParts, 'log' | 'tls'>,
): Server | undefined {
  if (token === undefined) return undefined;
  const configured = (): ConfiguredRevocations => {
    const { settings, revocationNames } = configuration();
    return { revocations: settings.revocations, names: revocationNames };
  };
  return createControlServer({
    token,
    revocations: new RevocationControl({ runTime, configured, log: parts.log }),
    ...parts,
  });
}

/** The listener of container credentials; `undefined` when it is off. It is not listening yet. */
export function createContainer(
  { containerCredentials: { listen: address } }: Settings,
  parts: Omit<ContainerParts, 'host'>,
): (ContainerServer & { readonly address: ListenAddress }) | undefined {
  if (address === undefined) return undefined;
  return { ...createContainerServer({ ...parts, host: address.host }), address };
}
