import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { programPath } from './build.mjs';
import { cores, imageAllocator } from './machine.mjs';
import { configuration } from './sidecar.mjs';

/** Object sizes that are read and written, by their names. */
export const sizes = { '1KiB': 1024, '1MiB': 1024 ** 2, '64MiB': 64 * 1024 ** 2 };

const ports = {
  store: 9820,
  nginx: 9821,
  'http-proxy': 9822,
  undici: 9823,
  sidecar: 9824,
  'sidecar + request log': 9826,
  'sidecar, other build': 9828,
};
const sockets = 64;
const storeUrl = `http://127.0.0.1:${ports.store}`;

const nginxHead = (name, directory) => `
daemon off; master_process off; worker_processes 1;
pid ${directory}/${name}.pid; error_log ${directory}/${name}.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_max_body_size 0; large_client_header_buffers 8 32k; client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u;
  scgi_temp_path ${directory}/s;
`;

// A bare `return` would answer before the body arrived; passing on nothing but the head makes nginx read it first.
const store = (directory) => `${nginxHead('store', directory)}
  client_body_buffer_size 65m;
  upstream discarded { server unix:${directory}/discarded.sock; keepalive ${sockets}; }
  server { listen unix:${directory}/discarded.sock; location / { return 200; } }
  server {
    listen 127.0.0.1:${ports.store} backlog=1024;
    location ~ ^/data/get/(\\w+)-\\d+$ { alias ${directory}/objects/$1; default_type application/octet-stream; }
    location /data/put/ {
      proxy_pass http://discarded; proxy_http_version 1.1; proxy_pass_request_body off;
      proxy_set_header Connection ""; proxy_set_header Content-Length "";
    }
  }
}`;

const proxy = (directory) => `${nginxHead('proxy', directory)}
  upstream store { server 127.0.0.1:${ports.store}; keepalive ${sockets}; }
  server {
    listen 127.0.0.1:${ports.nginx} backlog=1024;
    location / {
      proxy_pass http://store; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering on; proxy_max_temp_file_size 0;
    }
  }
}`;

/**
 * Starts the store and every proxy, each on its core.
 * Returns name → `{ url, pid }` with `direct` for the store itself, and `stop`.
 * @param otherProgram `dist/main.js` of another build, which becomes a target too; none when absent
 */
export async function startServers(directory, otherProgram) {
  const children = [];
  const launch = async (name, core, port, command) => {
    const log = openSync(join(directory, `${name.replaceAll(/\W+/g, '-')}.out`), 'w');
    const child = spawn('taskset', ['-c', String(core), ...command], {
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH, ...(command[0] === process.execPath ? imageAllocator() : {}) },
    });
    closeSync(log);
    children.push(child);
    await untilListening(port, child);
    return { url: `http://127.0.0.1:${port}`, pid: child.pid };
  };
  const stop = async () => {
    const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map((child) => {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        return exited;
      }),
    );
  };
  try {
    writeObjects(directory);
    const write = (name, text) => {
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    };
    const nginx = (name, text) => ['nginx', '-c', write(`${name}.conf`, text)];
    const node = (...rest) => [process.execPath, ...rest];
    const bare = (name) =>
      node(
        new URL(`proxies/${name}.mjs`, import.meta.url).pathname,
        String(ports[name]),
        storeUrl,
        `${sockets}`,
      );
    const sidecar = (name, logsRequests, program = programPath) => {
      const text = configuration({ port: ports[name], adminPort: ports[name] + 1, storeUrl, logsRequests });
      return node(program, 'serve', '--config', write(`${name.replaceAll(/\W+/g, '-')}.yaml`, text));
    };
    const { proxy: core, load } = cores;
    const targets = {
      direct: await launch('store', load, ports.store, nginx('store', store(directory))),
      nginx: await launch('nginx', core, ports.nginx, nginx('proxy', proxy(directory))),
    };
    for (const name of ['http-proxy', 'undici'])
      targets[name] = await launch(name, core, ports[name], bare(name));
    for (const [name, logs] of [
      ['sidecar', false],
      ['sidecar + request log', true],
    ]) {
      targets[name] = await launch(name, core, ports[name], sidecar(name, logs));
    }
    if (otherProgram !== undefined) {
      const name = 'sidecar, other build';
      targets[name] = await launch(name, core, ports[name], sidecar(name, false, otherProgram));
    }
    return { targets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function writeObjects(directory) {
  mkdirSync(join(directory, 'objects'));
  for (const [name, bytes] of Object.entries(sizes)) {
    writeFileSync(join(directory, 'objects', name), Buffer.alloc(bytes, 'x'));
  }
}

async function untilListening(port, child) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const [isOpen] = await Promise.race([
      once(socket, 'connect').then(() => [true]),
      new Promise((resolve) => socket.once('error', () => resolve([false]))),
    ]).catch(() => [false]);
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens on port ${port}`);
}
