// The least that a streaming forwarder on undici can do: heads and bodies are passed on as they come.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, target, sockets] = process.argv.slice(2);
const pool = new Pool(target, { pipelining: 1, connections: Number(sockets) });

createServer((request, response) => {
  const hasBody = request.headers['content-length'] !== undefined;
  const { rawHeaders } = request;
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index].toLowerCase() !== 'connection')
      headers.push(rawHeaders[index], rawHeaders[index + 1]);
  }
  let upstream;
  response.on('drain', () => upstream?.resume());
  // A paused answer would keep its socket to the store.
  response.on('close', () => {
    if (!response.writableFinished) upstream?.abort(new Error('the client has left'));
  });
  pool.dispatch(
    { method: request.method, path: request.url, headers, body: hasBody ? request : null },
    {
      onRequestStart(controller) {
        upstream = controller;
      },
      onResponseStart(controller, status) {
        response.writeHead(status, controller.rawHeaders.map(String));
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) controller.pause();
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
}).listen(Number(port), '127.0.0.1');
