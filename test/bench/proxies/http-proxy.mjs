// The bare `http-proxy` of npm: the unit that every other figure is a multiple of.
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, target, sockets] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(sockets) });
const proxy = httpProxy.createProxyServer({ target, agent });
proxy.on('error', (_error, _request, response) => response.destroy());
createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
