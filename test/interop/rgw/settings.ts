/** Where one private Ceph cluster keeps its files and listens. */
export interface ClusterSettings {
  /** Private folder of this cluster: settings, data, logs and sockets. */
  readonly directory: string;
  /** The cluster's UUID. */
  readonly clusterId: string;
  /** Loopback port of the monitor. */
  readonly monitorPort: number;
  /** Loopback port of the S3 gateway. */
  readonly gatewayPort: number;
}

/**
 * The `ceph.conf` of a throw-away cluster: one monitor, one object daemon that keeps everything in memory and one
 * gateway, all on loopback, without manager and without cephx.
 */
export function renderSettings(settings: ClusterSettings): string {
  return [
    ...section('global', globalSettings(settings)),
    ...section('osd', { 'public addr': '127.0.0.1', 'cluster addr': '127.0.0.1' }),
    ...section('client.rgw.a', gatewaySettings(settings)),
  ].join('\n');
}

/** The monitor's address in Ceph's notation, newest protocol only. */
export function monitorAddress(port: number): string {
  return `v2:127.0.0.1:${port}/0`;
}

function globalSettings({ directory, clusterId, monitorPort }: ClusterSettings): Record<string, string> {
  return {
    fsid: clusterId,
    'mon host': `[${monitorAddress(monitorPort)}]`,
    ...NO_AUTHENTICATION,
    ...ONE_SMALL_DAEMON,
    'mon data': `${directory}/mon`,
    'osd data': `${directory}/osd`,
    'run dir': directory,
    'crash dir': directory,
    'admin socket': '',
    keyring: `${directory}/keyring`,
    'log file': `${directory}/$name.log`,
    'log to stderr': 'false',
    'err to stderr': 'true',
    'mon cluster log file': `${directory}/cluster.log`,
    'debug default': '0',
  };
}

const NO_AUTHENTICATION = {
  'auth cluster required': 'none',
  'auth service required': 'none',
  'auth client required': 'none',
  'auth allow insecure global id reclaim': 'true',
};

/** Defaults expect several hosts, a manager and real disks; with them the pools would never become active here. */
const ONE_SMALL_DAEMON = {
  'osd objectstore': 'memstore',
  'memstore device bytes': '4294967296',
  'osd pool default size': '1',
  'osd pool default min size': '1',
  'osd pool default pg num': '1',
  'osd pool default pgp num': '1',
  'osd pool default pg autoscale mode': 'off',
  'osd crush chooseleaf type': '0',
  'mon allow pool size one': 'true',
  'mon max pg per osd': '1000',
  // Each new pool costs two changes of the map; by default the monitor collects changes for a second.
  'paxos propose interval': '0.02',
  'paxos min wait': '0.01',
  // The monitor ends itself on a nearly full disk; nothing of value is kept on it here.
  'mon data avail crit': '0',
};

function gatewaySettings({ gatewayPort }: ClusterSettings): Record<string, string> {
  return {
    // Without these two the gateway waits for ever for a cephx handshake that never comes.
    'ms mon client mode': 'crc',
    'auth client required': 'none',
    // Without tcp_nodelay every call takes about 45 ms.
    'rgw frontends': `beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1`,
    'rgw dns name': 'localhost',
    'rgw enable usage log': 'false',
    'rgw enable ops log': 'false',
  };
}

function section(name: string, values: Readonly<Record<string, string>>): readonly string[] {
  return [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`), ''];
}
