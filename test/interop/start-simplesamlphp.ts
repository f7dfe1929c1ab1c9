import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { defaultRecipient } from '../support/saml-idp.ts';
import { requireComponent } from './components.ts';
import { tailOf } from './daemon.ts';
import { freePorts } from './free-ports.ts';

/** A SimpleSAMLphp for one test file, as an identity provider for one user. */
export interface SimpleSamlPhp {
  readonly url: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** Who signs in, and the answer to each service by its entity id. */
export interface SimpleSamlPhpOptions {
  readonly username: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly services: Readonly<Record<string, Readonly<Record<string, boolean | string>>>>;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

const installed = '/usr/share/simplesamlphp/www';

/** Starts SimpleSAMLphp on PHP's own web server, on a free loopback port, with configuration of its own. */
export async function startSimpleSamlPhp(options: SimpleSamlPhpOptions): Promise<SimpleSamlPhp> {
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-simplesamlphp-'));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const password = randomBytes(20).toString('hex');
  await writeConfiguration(folder, url, password, options);
  const log = join(folder, 'output.log');
  const output = await open(log, 'w');
  const child = spawn(
    requireComponent('setpriv'),
    [
      '--pdeathsig',
      'KILL',
      requireComponent('php'),
      '-d',
      'error_reporting=8191',
      '-S',
      `127.0.0.1:${port}`,
      '-t',
      installed,
    ],
    { env: cleanEnvironment({ SIMPLESAMLPHP_CONFIG_DIR: folder }), stdio: ['ignore', output.fd, output.fd] },
  );
  await once(child, 'spawn');
  await output.close();
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(`${url}/saml2/idp/metadata.php`).catch(() => undefined);
    if (answer?.status === 200) return { url, password, stop };
    if (attempt === 40) {
      const lines = tailOf(log, 20);
      await stop();
      throw new Error(`SimpleSAMLphp did not start:\n${lines}`);
    }
    await sleep(250);
  }
}

async function writeConfiguration(
  folder: string,
  url: string,
  password: string,
  { username, attributes, services, key, certificate }: SimpleSamlPhpOptions,
): Promise<void> {
  const write = (name: string, variable: string, value: unknown): Promise<void> =>
    writeFile(
      join(folder, name),
      `<?php\n$${variable} = json_decode(${php(JSON.stringify(value))}, true);\n`,
    );
  for (const name of ['metadata', 'cert', 'log', 'data', 'tmp', 'sessions']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'cert', 'idp.pem'), key, { mode: 0o600 });
  await writeFile(join(folder, 'cert', 'idp.crt'), certificate);
  await write('config.php', 'config', {
    baseurlpath: `${url}/`,
    certdir: join(folder, 'cert'),
    loggingdir: join(folder, 'log'),
    datadir: join(folder, 'data'),
    tempdir: join(folder, 'tmp'),
    metadatadir: join(folder, 'metadata'),
    attributenamemapdir: '/etc/simplesamlphp/attributemap/',
    technicalcontact_email: 'nobody@example.org',
    timezone: 'UTC',
    secretsalt: randomBytes(20).toString('hex'),
    'auth.adminpassword': randomBytes(20).toString('hex'),
    'logging.handler': 'errorlog',
    'enable.saml20-idp': true,
    'module.enable': { exampleauth: true, core: true, saml: true },
    'store.type': 'phpsession',
    'session.cookie.secure': false,
    'session.phpsession.cookiename': 'SimpleSAML',
    'session.phpsession.savepath': join(folder, 'sessions'),
    'session.phpsession.httponly': true,
    'metadata.sources': [{ type: 'flatfile' }],
  });
  await write('authsources.php', 'config', {
    user: { '0': 'exampleauth:UserPass', [`${username}:${password}`]: { uid: [username], ...attributes } },
  });
  await write('metadata/saml20-idp-hosted.php', 'metadata', {
    '__DYNAMIC:1__': { host: '__DEFAULT__', privatekey: 'idp.pem', certificate: 'idp.crt', auth: 'user' },
  });
  const remote = Object.entries(services).map(([entityId, choices]) => [
    entityId,
    {
      AssertionConsumerService: defaultRecipient,
      NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      'simplesaml.nameidattribute': 'uid',
      ...choices,
    },
  ]);
  await write('metadata/saml20-sp-remote.php', 'metadata', Object.fromEntries(remote));
}

/** A PHP string. */
function php(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
