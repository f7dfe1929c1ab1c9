import dns from 'node:dns';

/** A name that resolves to this machine only while {@link withLocalName} runs. */
export const localName = 'here.example.test';

/** Runs with a resolver that knows {@link localName}. */
export async function withLocalName<T>(run: () => Promise<T>): Promise<T> {
  const { lookup } = dns;
  const answer = (...parameters: unknown[]): void => {
    const [name, options, callback] = parameters;
    if (name !== localName || typeof callback !== 'function') {
      Reflect.apply(lookup, dns, parameters);
      return;
    }
    const isAll = typeof options === 'object' && options !== null && 'all' in options && options.all === true;
    process.nextTick(() => {
      if (isAll) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    });
  };
  Object.assign(dns, { lookup: answer });
  try {
    return await run();
  } finally {
    Object.assign(dns, { lookup });
  }
}
